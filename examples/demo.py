"""`make demo`: serve the example web, make a corpus from a crawl of it, train a small model, and show the results.

All results are in demo/ afterwards.  A second run finds them there, and ends in seconds.  Each step is the command that
a user would type, in a separate process.  If a step fails, the demo ends with its exit code.
"""

import shlex
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from shutil import copyfile

from examples.serve import Serving, serve

EXAMPLES = Path(__file__).parent
DEMO = Path("demo")
PORT = DEMO / "port"
RECIPE = DEMO / "recipe.toml"
CORPUS = DEMO / "corpus"
MODEL = CORPUS / "models" / "base"
ADDRESS_IN_RECIPE = "127.0.0.1:8642"
PROMPT = "This PEP proposes"
QUERIES = (
    "SELECT stage, rule, count(*) AS pages FROM ledger WHERE NOT kept GROUP BY ALL ORDER BY pages DESC, rule",
    "SELECT url, round(jaccard, 3) AS jaccard FROM ledger WHERE rule = 'near_duplicate' ORDER BY jaccard LIMIT 10",
    "SELECT fate, count(*) AS urls, min(url) AS example FROM urls GROUP BY ALL ORDER BY urls DESC",
)


def main() -> None:
    """Run the demo in the folder that holds examples/."""
    start = time.monotonic()
    DEMO.mkdir(exist_ok=True)
    with ExitStack() as stack:
        _write_recipe(_serve(stack))
        corpusmill("run", RECIPE, "--corpus", CORPUS, "--workers", 2)
    corpusmill("train", CORPUS)
    corpusmill("generate", MODEL, PROMPT)
    corpusmill("report", CORPUS)
    _show(time.monotonic() - start)


def _serve(stack: ExitStack) -> Serving:
    """Serve the example web on the port of the last run, so that the recipe stays the same; else on a free port."""
    try:
        return stack.enter_context(serve(int(PORT.read_text("ascii"))))
    except (OSError, ValueError):
        return stack.enter_context(serve())


def _write_recipe(serving: Serving) -> None:
    address = f"{serving.address}:{serving.port}"
    PORT.write_text(f"{serving.port}\n", "ascii")
    RECIPE.write_text((EXAMPLES / "demo.toml").read_text("utf-8").replace(ADDRESS_IN_RECIPE, address), "utf-8")
    copyfile(EXAMPLES / "my_rules.py", DEMO / "my_rules.py")


def corpusmill(*arguments: object) -> None:
    """Show and run a command; end the demo if it fails."""
    words = [str(argument) for argument in arguments]
    print(f"\n$ {_command(*words)}", flush=True)
    status = subprocess.run([sys.executable, "-m", "corpusmill", *words], check=False).returncode
    if status:
        print(f"demo: '{_command(*words)}' failed with exit code {status}", file=sys.stderr)
        sys.exit(status if status > 0 else 128 - status)  # as a shell reports a signal


def _command(*words: str) -> str:
    """The command as a user would type it.  SQL is in double quotes, since it contains single ones."""
    return " ".join(["corpusmill", *(f'"{word}"' if "'" in word else shlex.quote(word) for word in words)])


def _show(seconds: float) -> None:
    """Print where the results are, and what can be asked."""
    print(f"""
done in {seconds:.0f} s
  token shards  {CORPUS / "tokens"}
  catalog       {CORPUS / "catalog.duckdb"}
  report        {CORPUS / "report.html"}
  model         {MODEL}

Three questions to try (corpusmill is .venv/bin/corpusmill):""")
    for query in QUERIES:
        print(f"  {_command('sql', str(CORPUS), query)}")
    corpusmill("sql", CORPUS, QUERIES[0])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
