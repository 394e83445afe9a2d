"""Names that wikis use in their own language: namespaces, sections, templates of disambiguation pages.

A dump states the names of its namespaces, but not the aliases that the software accepts besides them.  All names are in
lower case.
"""

# ruff: noqa: SIM905

import re
from typing import Final

FILE_NAMES: Final = frozenset(
    "file image media archivo imagen ficheiro imagem fichier datei bild immagine bestand afbeelding plik grafika файл "
    "изображение зображення ファイル 画像 文件 档案 檔案 图像 圖像 圖片 图片 파일 그림 ملف صورة پرونده תמונה קובץ "
    "dosya resim fil tiedosto kuva soubor fájl kép fișier imagine tệp hình berkas gambar चित्र छवि ไฟล์ ภาพ "
    "αρχείο εικόνα fitxer imatge fail датотека слика datoteka slika súbor obrázok файл सञ्चिका চিত্র படிமம்".split()
)
CATEGORY_NAMES: Final = frozenset(
    "category categoría categoria catégorie kategorie categorie kategoria категория категорія カテゴリ 分类 分類 분류 "
    "تصنيف رده קטגוריה kategori luokka kategória श्रेणी หมวดหมู่ κατηγορία kategorija категорија "
    "категорыя কাটেগরি বিষয়শ্রেণী பகுப்பு kategoriija kategooria".split()
) | {"thể loại"}

# Their content is left out: lists of sources, and links that lead out of the wiki.
REFERENCE_SECTIONS: Final = frozenset(
    name.strip()
    for name in """
    references|notes|notes and references|references and notes|footnotes|citations|sources|external links
    einzelnachweise|anmerkungen|weblinks|quellen|nachweise|fußnoten
    références|notes et références|liens externes|notes|sources
    referencias|notas|notas y referencias|enlaces externos
    referências|ligações externas|notas e referências
    note|collegamenti esterni|altri progetti
    referenties|externe links|externe link|bronnen|przypisy|linki zewnętrzne
    примечания|ссылки|источники|сноски|примітки|посилання|джерела
    脚注|注釈|出典|参考文献|外部リンク|注釈・出典|出典・脚注
    参考文献|参考资料|参考資料|外部链接|外部連結|外部連接|外部鏈接|注释|註釋|注釋|参考来源|參考來源|參考文獻|脚注|腳註|脚註|備註|来源|來源|參考
    각주|외부 링크|참고 문헌|참고문헌|출처
    المراجع|مراجع|وصلات خارجية|مصادر|منابع|پیوند به بیرون|הערות שוליים|קישורים חיצוניים
    kaynakça|dış bağlantılar|referenser|externa länkar|källor|noter|lähteet|aiheesta muualla|reference|externí odkazy
    jegyzetek|források|további információk|referensi|pranala luar|tham khảo|liên kết ngoài|chú thích|सन्दर्भ
    बाहरी कड़ियाँ
    eksterne skakels|enllaces esternos|vinclos externos|xarici keçidlər|i̇stinadlar|външни препратки|източници|бележки
    বহিঃসংযোগ|তথ্যসূত্র|liammoù diavaez|daveoù|vanjski linkovi|vanjske poveznice|vanjske veze|izvori|poznámky
    eksterne henvisninger|henvisninger|eksterne lenker|referanser|fotnoter|kilder|välislingid|viited
    kanpo estekak|erreferentziak|ligazóns externas|dolenni allanol|cyfeiriadau|naisc sheachtracha|tagairtí
    արտաքին հղումներ|ծանոթագրություններ|nexus externi|notae
    nuorodos|išnašos|šaltiniai|ārējās saites|atsauces|rujukan|pautan luar|catatan kaki|അവലംബം
    बाह्य दुवे|संदर्भ|सन्दर्भ सूची|legături externe|referințe|зовнішні посилання|спољашње везе|референце
    externé odkazy|zunanje povezave|sklici|viri|eksteraj ligiloj|notoj|burime|referime|بیرونی روابط|حوالہ جات
    havolalar|manbalar|сілтемелер|дереккөздер|сылтамалар|искәрмәләр|referéncias|ligams extèrnes
    გარე ბმულები|სქოლიო|வெளி இணைப்புகள்|மேற்கோள்கள்|other websites|belege|beleg
    อ้างอิง|แหล่งข้อมูลอื่น|παραπομπές|εξωτερικοί σύνδεσμοι|referències|enllaços externs
    """.replace("\n", "|").split("|")
    if name.strip()
)

DISAMBIGUATION: Final = frozenset(
    name.strip()
    for name in """
    disambiguation|disambig|disamb|dab|dab page|hndis|geodis|human name disambiguation|place name disambiguation
    disambiguation page|school disambiguation|numberdis|letter-number combination disambiguation|callsigndis|roaddis
    airport disambiguation|hospital disambiguation|mathdab|mathematical disambiguation|chinese title disambiguation
    disambiguation cleanup|begriffsklärung|bkl|homonymie|homonymes|patronymie|paronymie|toponymie|internationalisation
    desambiguación|desambiguacion|desambig|des|disambigua|disambiguazione|doorverwijspagina|dp
    ujednoznacznienie|disambigr
    desambiguação|неоднозначность|многозначность|список однофамильцев|disambig2|однофамильцы|неоднозначність
    багатозначність
    aimai|曖昧さ回避|人名の曖昧さ回避|地名の曖昧さ回避|曖昧さ回避人名|曖昧さ回避地名
    消歧义|消歧義|消歧义页|消歧義頁|人名消歧义|人名消歧義|地名消歧义|地名消歧義|多义|多義|disambig-cleanup
    동음이의|동명이인|توضيح|ابهام‌زدایی|פירושונים|anlamayrımı|anlam ayrımı|förgrening|grensida|flertydig|pekerside
    täsmennyssivu|rozcestník|egyért|egyértelműsítő lap|dezambiguizare|trang định hướng|định hướng|disambiguasi
    बहुविकल्पी शब्द|แก้กำกวม|αποσαφήνιση|desambiguació|thể loại định hướng
    """.replace("\n", "|").split("|")
    if name.strip()
)

# Short names of such templates that mean something else in other languages
DISAMBIGUATION_ONLY_IN: Final = {"dp": "nl", "des": "pt"}

# Codes of countries, of ISO 3166 and of sports: templates with such a name are a flag with the country's name
COUNTRIES: Final = frozenset(
    """
    ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR BHR BHS BIH BLM BLR
    BLZ BMU BOL BRA BRB BRN BTN BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV CRI CUB CUW CXR CYM CYP
    CZE DEU DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM GAB GBR GEO GGY GHA GIB GIN GLP
    GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY HKG HND HRV HTI HUN IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR
    JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX
    MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS MWI MYS MYT NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL
    OMN PAK PAN PCN PER PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT REU ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB
    SLE SLV SMR SOM SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR
    TUV TWN TZA UGA UKR URY USA UZB VAT VCT VEN VGB VIR VNM VUT WLF WSM YEM ZAF ZMB ZWE ALG ANG ANT ARU BAH BAN BAR
    BER BHU BIZ BOT BRU BUL BUR CAM CAY CGO CHA CHI CRC CRO DEN ENG ESA FIJ FRG GAM GBS GDR GEQ GER GRE GRN GUA GUI
    HAI HON INA IRI ISV IVB KSA KUW LAT LBA LES LIB MAD MAS MAW MGL MON MRI MTN MYA NCA NED NGR NIG NIR OMA PAR PHI
    PLE POR PRC PUR ROC RSA SAM SCG SCO SEY SKN SLO SOL SPA SRI SUD SUI TAN TCH TGA TOG TPE TRI UAE URS URU VAN VIE
    VIN WAL XKX KOS YUG ZAM ZIM
    """.split()
)

# Two or three small letters before a colon are another language's wiki, unless they are one of these.
_NOT_LANGUAGES: Final = frozenset(("mw", "rfc", "doi", "ads", "wmf", "dbr", "irc", "toolforge", "phab"))
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[a-z]{2,10}){0,2}|simple")


def plain_name(name: str) -> str:
    """A name as it is compared: in lower case, with single spaces instead of underscores."""
    return " ".join(name.replace("_", " ").lower().split())


def is_language(prefix: str) -> bool:
    """Whether a prefix of a link leads to the same page in another language."""
    return _LANGUAGE.fullmatch(prefix) is not None and prefix not in _NOT_LANGUAGES
