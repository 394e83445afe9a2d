"""Build `web.zip`, the example web, from the sources of its texts.

    python -m examples.build_web peps.tar.xz udhr2.zip

`web.zip` is in the repository.  The sources are not; examples/README.md says where they come from.  The same sources
and the same version of docutils give the same bytes.  It takes 20 seconds.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from examples.webgen import copies, forum, library, oddities, peps, rights, shop
from examples.webgen.peps import Pep
from examples.webgen.site import Site

WEB = Path(__file__).with_name("web.zip")


def build(proposals: Sequence[Pep], declarations: Mapping[str, str]) -> Site:
    """The whole web: the library has every proposal, and the other hosts have some of them."""
    known = {pep.number for pep in proposals}
    bodies = {pep.number: peps.render(pep, known) for pep in proposals}
    site = Site()
    library.build(site, proposals, bodies, oddities.LINKS)
    copies.build_mirror(site, proposals[::5], bodies)
    copies.build_drafts(site, proposals[2::5], bodies)
    forum.build(site, proposals[::2], bodies)
    rights.build(site, declarations)
    shop.build(site)
    oddities.build(site)
    return site


def main() -> None:
    """Build from the command line."""
    parser = argparse.ArgumentParser(description="build the example web from its sources")
    parser.add_argument("peps", type=Path, help="peps.tar.xz: the proposals as reStructuredText")
    parser.add_argument("declarations", type=Path, help="udhr2.zip: the declaration of human rights, UTF-8")
    parser.add_argument("--out", type=Path, default=WEB)
    arguments = parser.parse_args()
    site = build(peps.read_peps(arguments.peps), rights.read_texts(arguments.declarations))
    site.save(arguments.out)
    print(f"{arguments.out}: {len(site.answers)} URLs of {len(site.hosts)} hosts, {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
