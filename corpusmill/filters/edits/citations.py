"""Edit `citations`: remove marks of references and of editing, as Wikipedia has them, in many languages.

A mark is a pair of square brackets around a number (or several), a note (`note 1`, `a`), or words of the list below.
"""

from typing import Annotated, Literal

from pydantic import Field

from corpusmill.filters.edits.base import EditSettings

EDIT = (  # what one clicks on to edit a section
    *("edit", "edit source", "edit on wikidata", "bearbeiten", "quelltext bearbeiten", "modifier"),
    *("modifier le code", "editar", "editar código", "editar datos en wikidata", "editar código-fonte"),
    *("modifica", "modifica wikitesto", "bewerken", "brontekst bewerken", "edytuj", "edytuj kod"),
    *("править", "править код", "редагувати", "ред.", "код", "редагувати код", "編集", "ソースを編集"),
    *("编辑", "編輯", "编辑源代码", "編輯原始碼", "redigera", "redigera wikitext", "muokkaa"),
    *("muokkaa wikitekstiä", "editovat", "editovat zdroj", "değiştir", "kaynağı değiştir", "عدل"),
    *("عدل المصدر", "ویرایش", "ویرایش مبدأ", "עריכה", "עריכת קוד מקור", "편집", "원본 편집", "sửa"),
    *("sửa mã nguồn", "sunting", "sunting sumber", "szerkesztés", "forrásszöveg szerkesztése"),
    *("modificare", "modificare sursă", "επεξεργασία", "επεξεργασία κώδικα", "redigér", "rediger"),
    *("rediger kildetekst", "rediger kilde", "แก้", "แก้ไขต้นฉบับ", "संपादित करें", "সম্পাদনা"),
    *("upravit", "upraviť", "uredi", "uredi kod", "редактиране", "редактиране на кода", "muuda"),
    "keisti",
)
DOUBT = (  # what an editor asks for
    *("citation needed", "citations needed", "clarification needed", "better source needed"),
    *("page needed", "verification needed", "failed verification", "original research?"),
    *("according to whom?", "by whom?", "who?", "when?", "where?", "why?", "which?", "what?", "how?"),
    *("dubious – discuss", "dubious", "disputed – discuss", "full citation needed"),
    *("unreliable source?", "non-primary source needed", "dead link", "permanent dead link"),
    *("not in citation given", "update needed", "needs update", "sic", "quantify", "vague"),
    *("example needed", "einzelnachweis fehlt", "beleg fehlt", "belege fehlen", "wer?", "wann?"),
    *("réf. nécessaire", "réf. souhaitée", "réf. incomplète", "source insuffisante", "qui ?"),
    *("quand ?", "cita requerida", "¿quién?", "¿cuándo?", "senza fonte", "citazione necessaria"),
    *("carece de fontes?", "quem?", "quando?", "bron?", "potrzebny przypis", "potrzebne źródło"),
    *("źródło?", "источник?", "кем?", "когда?", "джерело?", "要出典", "誰?", "来源请求", "來源請求"),
    *("原創研究?", "källa behövs", "lähde?", "zdroj?", "kaynak belirtilmeli", "بحاجة لمصدر"),
    *("نیازمند منبع", "דרוש מקור", "출처 필요", "cần dẫn nguồn", "butuh rujukan", "forrás?"),
    *("necesită citare", "εκκρεμεί παραπομπή", "cal citació", "kilde mangler", "trenger referanse"),
    *("ต้องการอ้างอิง", "उद्धरण चाहिए", "তথ্যসূত্র প্রয়োজন", "източник?", "potreban izvor"),
)
NOTE = (  # what a number follows
    *("note", "nb", "n", "fn", "anm.", "a", "注", "註", "注釈", "注释", "註釋", "주", "прим."),
    *("przyp.", "nota", "ref"),
)


class Citations(EditSettings):
    """Settings of `citations`."""

    kind: Literal["citations"] = "citations"
    numbers: bool = True  # [1], [2, 3], [4-6], [7][8]
    notes: bool = True  # [a], [note 1]
    words: bool = True  # [citation needed], [edit], and what they are in other languages
    more: list[Annotated[str, Field(min_length=1, max_length=60)]] = []  # other words in brackets
