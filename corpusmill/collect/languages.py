"""Names of programming languages by the ending of a file, and the names of files with licences."""

LANGUAGES = {
    ".py": "Python", ".pyi": "Python", ".ipynb": "Jupyter Notebook", ".js": "JavaScript", ".mjs": "JavaScript",
    ".jsx": "JavaScript", ".ts": "TypeScript", ".tsx": "TypeScript", ".java": "Java", ".kt": "Kotlin", ".kts": "Kotlin",
    ".scala": "Scala", ".groovy": "Groovy", ".clj": "Clojure", ".c": "C", ".h": "C", ".cc": "C++", ".cpp": "C++",
    ".cxx": "C++", ".hpp": "C++", ".hh": "C++", ".cu": "CUDA", ".cs": "C#", ".fs": "F#", ".vb": "Visual Basic",
    ".go": "Go", ".rs": "Rust", ".swift": "Swift", ".m": "Objective-C", ".mm": "Objective-C", ".rb": "Ruby",
    ".php": "PHP", ".pl": "Perl", ".pm": "Perl", ".lua": "Lua", ".r": "R", ".jl": "Julia", ".hs": "Haskell",
    ".ml": "OCaml", ".mli": "OCaml", ".ex": "Elixir", ".exs": "Elixir", ".erl": "Erlang", ".lisp": "Common Lisp",
    ".el": "Emacs Lisp", ".scm": "Scheme", ".rkt": "Racket", ".d": "D", ".nim": "Nim", ".zig": "Zig", ".v": "Verilog",
    ".sv": "SystemVerilog", ".vhd": "VHDL", ".f": "Fortran", ".f90": "Fortran", ".f95": "Fortran", ".for": "Fortran",
    ".cob": "COBOL", ".cbl": "COBOL", ".pas": "Pascal", ".ada": "Ada", ".adb": "Ada", ".ads": "Ada", ".asm": "Assembly",
    ".s": "Assembly", ".sh": "Shell", ".bash": "Shell", ".zsh": "Shell", ".fish": "Shell", ".ps1": "PowerShell",
    ".bat": "Batchfile", ".sql": "SQL", ".css": "CSS", ".scss": "SCSS", ".less": "Less", ".vue": "Vue",
    ".svelte": "Svelte", ".dart": "Dart", ".proto": "Protocol Buffer", ".thrift": "Thrift", ".graphql": "GraphQL",
    ".tf": "HCL", ".cmake": "CMake", ".mk": "Makefile", "/makefile": "Makefile", "/dockerfile": "Dockerfile",
    ".lean": "Lean", ".agda": "Agda", ".coq": "Coq", ".thy": "Isabelle", ".tla": "TLA", ".sol": "Solidity",
}  # fmt: skip
"""Ending in lower case -> name, as GitHub's Linguist has it; if an ending has several languages, the first of them."""

LICENCE_FILES = (
    "/license", "/licence", "/copying", "/unlicense", "/license.txt", "/licence.txt", "/copying.txt", "/license.md",
    "/licence.md", "/copying.md", "/license.rst", "/licence.rst",
)  # fmt: skip


def is_licence_file(path: str) -> bool:
    """Whether a file is the licence of the folder that it is in."""
    return f"/{path.lower()}".endswith(LICENCE_FILES)


def language_of(path: str) -> str | None:
    """The programming language of a file, by its name."""
    name = f"/{path.lower().rpartition('/')[2]}"
    return LANGUAGES.get(name) or LANGUAGES.get("." + name.rpartition(".")[2])
