"""Leases: one holder at a time, also when one stalls, dies or its clock stands still."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
import uuid

import pytest

from corpusmill import lease
from corpusmill.errors import InputError
from corpusmill.lease import LEASES, held, leased
from corpusmill.store import RemoteStore


@pytest.fixture
def store():
    return RemoteStore(f"memory://{uuid.uuid4().hex}")


def leases(store):
    return sorted(store.entries(LEASES))


def set_lease(store, number, **changes):
    holder = {"token": "other", "host": "elsewhere", "pid": 1, "processes": None, "renewed": time.time()} | changes
    store.write(f"{LEASES}/{number:012d}.json", json.dumps(holder).encode())


HOLDS = "import sys, time; time.sleep(float(sys.argv[1]))"


def orphan(folder, seconds):
    """A process that has inherited the lock of one that was killed."""
    with held(folder) as descriptor:
        child = subprocess.Popen([sys.executable, "-c", HOLDS, str(seconds)], pass_fds=(descriptor,))
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    (folder / ".lock").write_bytes(ended.stdout.strip())
    return child


def test_a_run_waits_for_what_a_killed_run_has_left(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "MOMENT_S", 0.1)
    with orphan(tmp_path, 1.5) as child, held(tmp_path):
        assert child.poll() is not None or child.wait(5) == 0
        assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_what_a_killed_run_has_left_is_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "MOMENT_S", 0.1)
    monkeypatch.setattr(lease, "ORPHANS_S", 0.5)
    with orphan(tmp_path, 60) as child:
        with pytest.raises(InputError, match="another run holds this corpus"), held(tmp_path):
            pass
        child.kill()


@pytest.mark.parametrize("content", ["", "nonsense"])
def test_a_lock_file_that_names_nobody_is_waited_for_a_moment(tmp_path, monkeypatch, content):
    monkeypatch.setattr(lease, "MOMENT_S", 0.1)
    monkeypatch.setattr(lease, "ORPHANS_S", 60)
    (tmp_path / ".lock").write_text(content)
    with (tmp_path / ".lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another run holds this corpus"), held(tmp_path):
            pass


def test_a_lease_is_held_and_given_up(store):
    with leased(store, "mine"):
        assert leases(store) == ["000000000001.json"]
        assert json.loads(store.read(f"{LEASES}/000000000001.json"))["token"] == "mine"
    assert leases(store) == []


def test_a_living_holder_is_named(store):
    set_lease(store, 7, pid=4711)
    with pytest.raises(InputError, match=r"another run .process 4711 on elsewhere. holds it"), leased(store, "mine"):
        pass
    assert leases(store) == ["000000000007.json"]


def test_a_process_that_cannot_be_seen_from_here_may_live(store, monkeypatch):
    """Containers of one host name may each have processes of their own."""
    monkeypatch.setattr(lease.socket, "gethostname", lambda: "here")
    set_lease(store, 7, host="here", pid=2**22 + 1, processes=["this machine", "another container"])
    with pytest.raises(InputError, match="holds it"), leased(store, "mine"):
        pass


@pytest.mark.parametrize(
    "changes", [{"renewed": 0}, {"processes": lease._processes(), "pid": 2**22 + 1}, {"renewed": "nonsense"}]
)
def test_a_lease_that_ran_out_is_taken_over(store, changes):
    set_lease(store, 7, **changes)
    with leased(store, "mine"):
        assert leases(store) == ["000000000008.json"]


def test_of_many_that_take_over_one_succeeds(store):
    set_lease(store, 7, renewed=0)
    started, holders, ended = threading.Barrier(6), [], threading.Event()

    def take(token):
        started.wait()
        try:
            with leased(store, token):
                holders.append(token)
                ended.wait()
        except InputError:
            pass

    threads = [threading.Thread(target=take, args=(f"run {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline and (not holders or sum(thread.is_alive() for thread in threads) > 1):
            time.sleep(0.01)
        assert len(holders) == 1
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_a_lease_is_renewed_until_another_run_has_taken_over(store, monkeypatch):
    monkeypatch.setattr(lease, "RENEWALS_S", 0.01)
    with leased(store, "mine"):
        own = f"{LEASES}/000000000001.json"
        before = json.loads(store.read(own))["renewed"]
        deadline = time.monotonic() + 10
        while json.loads(store.read(own))["renewed"] == before:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        set_lease(store, 2)
        store.delete(own)
        time.sleep(0.1)
        assert leases(store) == ["000000000002.json"]
    assert leases(store) == ["000000000002.json"]
