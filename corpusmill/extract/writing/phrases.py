"""What the texts say that are on a page but not for its readers, in many languages.

`marks.py` uses the first group for elements with certain words in their class, `notices.py` the second for blocks.
The expressions take linear time: they begin at the start of a short text, and their repetitions have limits.
"""

import re


def _any_of(*parts: str) -> "re.Pattern[str]":
    return re.compile("|".join(f"(?:{part})" for part in parts), re.IGNORECASE | re.DOTALL)


# Texts of marked elements.
SIGNS = re.compile(r"^[\s\u200b#¶§🔗∞†⚓^*+]*$")
_TO_ITSELF = _any_of(
    r"^\W*(?:perma(?:nent )?link|link|anchor(?: link)?|copy link|direct link|(?:heading )?self-link)\W*$",
    r"^\W*(?:(?:direct |anchor |perma|permanent |copy |skip )?link|anchor|permalink)"
    r"(?: to| for|:) (?:this |the )?(?:heading|section|title|headline)\W*$",
    r"^\W*(?:direct link|anchor link|permalink|permanent link|copy link|skip link|copy a link)(?: to| for|:).{1,200}$",
    r"^\W*(?:section titled|lien vers|lien permanent|lien direct|enlace a|enlace permanente|direkter link zu"
    r"|link zu|permalink zu|collegamento a|link permanente|ссылка на|直接链接|この見出しへ).{0,200}$",
)
NUMBERS = re.compile(r"^[\s\d.:|]*$")
ICON = re.compile(r"^\s*[a-z][a-z0-9_]*\s*$")
PRIVATE = re.compile(r"^\s*[\ue000-\uf8ff]{1,2}\s*$")
BRACKETED = re.compile(r"^\s*[\[［【(].{0,100}[\]］】)]\s*$", re.DOTALL)
_EDITS = (
    r"(?:edit(?: source| section| this section)?|bearbeiten|quelltext bearbeiten|modifier(?: le (?:code|wikicode))?"
    r"|editar(?: código| a fonte| fuente| código-fonte)?|modifica(?: wikitesto| sorgente)?|bewerken|brontekst bewerken"
    r"|редактировать|править(?: код)?|ред\.|edytuj(?: kod)?|redigera(?: wikitext)?|rediger(?: kildetekst| kilde)?"
    r"|muokkaa(?: wikitekstiä)?|editovat(?: zdroj)?|szerkesztés|düzenle|kaynağı değiştir|değiştir|sửa(?: mã nguồn)?"
    r"|編集|ソースを編集|编辑|編輯|编辑源代码|編輯原始碼|播报|편집|원본 편집|עריכה|تعديل|ویرایش|upravit|upraviť)"
)
EDIT = re.compile(rf"^[\s\[［【(]*{_EDITS}(?:\s*\|\s*{_EDITS})?[\s\]］】)]*$", re.IGNORECASE)
EDIT_AT_END = re.compile(rf"\s*[\[［【]\s*{_EDITS}(?:\s*\|\s*{_EDITS})?\s*[\]］】]\s*$", re.IGNORECASE)
NEEDED = _any_of(  # in superscripts
    r"^\s*[\[［][^\]］]{0,20}(?:citation|source|verification|clarification|page|attribution|reference|quotation)s?"
    r"[ \xa0](?:needed|required|request|missing)\W*\s*$",
    r"^\s*[\[［]\s*(?:by whom|according to whom|who|when|where|which|why|how|what|vague|dubious|disputed|failed"
    r" verification|not in citation given|original research|unreliable source|better source needed|dead link"
    r"|permanent dead link|need quotation to verify|self-published source|non-primary source needed|ambiguous"
    r"|discuss|clarify|importance|weasel words|peacock prose|citation not found)\b[^\]］\d]{0,40}[\]］]\s*$",
    r"^\s*[\[［]\s*(?:réf(?:érence)?\.? (?:nécessaire|souhaitée|incomplète|insuffisante)|source insuffisante|précision"
    r" nécessaire|quand \?|qui \?|où \?|lien brisé|non neutre|pas clair|beleg(?:e)? fehl(?:t|en)|nachweis fehlt"
    r"|cita requerida|¿cuándo\?|¿quién\?|¿por quién\?|aclaración requerida|senza fonte|citazione necessaria|chi\?"
    r"|quando\?|da chi\?|carece de fontes|quem\?|bron\?|bron gevraagd|źródło\?|potrzebny przypis|kto\?|kiedy\?"
    r"|källa behövs|fakta\?|kilde mangler|trenger referanse|lähde\?|zdroj\?|zdroj\? |forrás\?|kaynak belirtilmeli"
    r"|источник\sне\sуказан[^\]]{0,40}|где\?|кто\?|когда\?|уточнить|джерело\?|cần dẫn nguồn|要出典|要検証|いつ\?"
    r"|誰によって\?|來源請求|来源请求|來源請求|谁\?|何时\?|哪裡\?|출처 필요|언제\?|누가\?|דרוש מקור|مدبوت"
    r"|بحاجة لمصدر|نیازمند منبع)[^\]］]{0,20}[\]］]\s*$",
)
_WINDOW = (
    r"(?:(?:link )?opens?(?: external site| link)? in (?:a |an )?(?:new|external|separate) (?:browser )?(?:tab|window)"
    r"(?: or (?:tab|window))?|opens new (?:tab|window)|new (?:tab|window)|(?:link is )?external(?: link| site|"
    r" website)?"
    r"|link opens in (?:a )?new (?:tab|window)|opens (?:a )?pdf|(?:wird in|öffnet(?: sich)?(?: in)?) (?:einem |ein"
    r" )?neue[nms]?"
    r" (?:fenster|tab|browserfenster)(?: geöffnet)?|(?:externer|external) link|(?:s.ouvre|ouvre|ouverture|nouvelle"
    r" fenêtre)(?: dans)?(?: une| un)?(?: nouvelle fenêtre| nouvel onglet)?|se abre en (?:una )?(?:nueva|ventana)"
    r"(?: ventana| pestaña| nueva)?|abre (?:en|em|numa) (?:una |uma )?(?:nueva|nova) (?:ventana|pestaña|janela|aba)"
    r"|si apre in una nuova (?:finestra|scheda)|opent in (?:een )?nieuw (?:venster|tabblad)"
    r"|öppnas i (?:ett )?nytt fönster|åpnes i nytt vindu"
    r"|新しいウィンドウで開く|在新窗口(?:中)?打开|另開新視窗|새 창에서 열림)"
)
NEW_WINDOW = re.compile(rf"^[\s,(\[–-]*{_WINDOW}[\s.)\]]*$", re.IGNORECASE)
NEW_WINDOW_AT_END = re.compile(rf"(?<=\w|[.,!?»”\"'])?\s*[(\[]{_WINDOW}\.?[)\]]\s*$", re.IGNORECASE)
TO_TOP = re.compile(
    r"^\W*(?:(?:back )?to (?:the )?top|top|nach oben|zum seitenanfang|haut(?: de page)?|retour en haut|volver arriba"
    r"|torna su|naar boven|наверх|返回顶部|回到頂部|トップへ戻る|맨 위로)?\W*$",
    re.IGNORECASE,
)
MINUTES = re.compile(
    r"^\W*(?:\w+\s+){0,2}\d{1,3}\s*(?:-\s*)?(?:min|minutes?|mins|分钟|分|Min\.?|minuti|minutos)\b[^.]{0,20}$"
)
COPY = re.compile(
    r"^\W*(?:(?:copy|copied|copy (?:code|to clipboard|link|text|snippet)|copied to clipboard|kopieren|code kopieren"
    r"|kopiert"
    r"|copier(?: le code)?|copié|copiar(?: código)?|copiado|copia|copiato|kopiëren|kopiera|kopiuj|копировать"
    r"|скопировать|скопировано|复制|复制代码|复制成功|已复制|代码复制成功|登录后复制|複製|複製程式碼|コピー|コピーする|복사)\W*){1,2}$",
    re.IGNORECASE,
)
LANGUAGE_NAME = re.compile(r"^\s*[A-Za-z][\w+#./ -]{0,19}\s*$")
SHARE = re.compile(
    r"^(?:\W*(?:(?:share|tweet|pin|email|e-mail|print|copy|link|save|facebook|twitter|x|linkedin|whatsapp|reddit"
    r"|pinterest"
    r"|telegram|bluesky|mastodon|threads|tumblr|wechat|weibo|line|pocket|flipboard|xing|messenger"
    r"|viber"
    r"|vk|skype|hacker news|click|opens?|in|new|a|window|tab|to|on|via|this|article|story|post|page|more|follow|us"
    r"|friend"
    r"|it|with|button|teilen|auf|drucken|partager|sur|imprimer|cet|compartir|en|condividi|su|twittern|mail|delen"
    r"|dela|del|på|udostępnij|поделиться|compartilhar|compartilhe|no)\b"
    r"|分享(?:到|至)?|微信(?:好友|朋友圈)?|朋友圈|新浪|微博|QQ(?:空间|好友)?|豆瓣|人人网|扫一扫|复制链接|シェア(?:する)?|ツイート|共有"
    r"|はてなブックマーク|공유(?:하기)?|카카오톡|페이스북|트위터))+\W*$",
    re.IGNORECASE,
)
SCRIPTS = re.compile(r"java\s*script|JS\b", re.IGNORECASE)
TO_FRAGMENT = re.compile(rb"<a\b[^<>]*?\bhref\s*=\s*[\"']?[^\"'\s<>]*#", re.IGNORECASE)
OF_LINE = re.compile(
    rb"<[^<>]*(?:user-select\s*:\s*none|href\s*=\s*[\"']?#|\bline|line[-_]?n|[\"'\s]ln[\"'\s_-]|gutter)", re.IGNORECASE
)


def is_link_of_heading(text: str) -> bool:
    """Whether a text is that of a link of a heading to itself."""
    return bool(SIGNS.match(text) or _TO_ITSELF.match(text))


def is_hint(text: str) -> bool:
    """Whether a text is only for screen readers, also in a heading."""
    return bool(_TO_ITSELF.match(text) or NEW_WINDOW.match(text))


def is_count(text: str) -> bool:
    """Whether a text has two numbers or more that count by one, and nothing else."""
    numbers = text.replace(".", " ").replace(":", " ").split()
    if len(numbers) < 2 or not all(number.isdecimal() and len(number) < 8 for number in numbers):
        return False
    first = int(numbers[0])
    return all(int(number) == first + place for place, number in enumerate(numbers))


# Texts of whole blocks.
_LETTER = (
    r"(?:newsletters?|mailing list|inbox|e-?mail (?:list|updates|alerts|digest)|(?:in|by|to|via) your e-?mail|bulletin)"
)
_FREQUENT = r"(?=.*\b(?:our|my|your|free|daily|weekly|monthly|fortnightly|inbox)\b)"
_LEAD = r"^\W*(?:[^.?!:]{1,100}[?!:]\s+|[^.,?!:]{1,60}[,—–-]\s+)?"
NEWSLETTER = _any_of(
    _LEAD + r"(?:please |then |so |or |click here to |don.t forget to )?(?:(?:sign|signing) ?up|subscribe|opt[- ]in)"
    r"(?: now| today| here| below| free| for free)*(?:,| and| to| for| with| via| in)\b.{0,140}\b" + _LETTER,
    r"^\W*(?:please )?(?:get|join|receive|register|enter|want|delivered)\b" + _FREQUENT + r"[^.!;]{0,120}\b" + _LETTER,
    r"^\W*(?:(?:sign ?up|register|subscribe|join)(?: now| today| here)? ?(?:(?:for|to) )?)?(?:our |the |my )?(?:free"
    r" |daily"
    r" |weekly |monthly |e-?mail )*(?:newsletters?|mailing list)(?: sign[- ]?up| subscription| registration)?\W*$",
    r"^\W*subscribe (?:now|for free|to (?:our|the|my) newsletter|for more|to (?:get|receive) (?:new|the"
    r" latest))\b.{0,100}$",
    r"^\W*thank(?:s| you) for (?:subscribing|signing up|your subscription)(?: (?:to|for) .{1,120})?[.!]?\W*$",
    r"^\W*(?:please )?check your (?:e-?mail|inbox)[^.]{0,60}\bconfirm\b.{0,60}$",
    r"^\W*by (?:signing up|subscribing|submitting|clicking|entering|providing)\b[^.]{0,120}\b(?:you|i) (?:agree|consent"
    r"|accept|acknowledge|confirm)\b.{0,160}$",
    r"^\W*(?:no spam|we (?:don.t|do not|never|won.t|will never) spam|(?:you (?:can|may) )?unsubscribe (?:at )?any"
    r" ?time)\b"
    r".{0,80}$",
    # German
    r"^\W*(?:(?:jetzt|hier|bitte|kostenlos)\W+)*(?:abonnier|bestell|erhalt|meld|registrier|trag|holen|hol dir)\w*\b"
    r".{0,120}(?:newsletter|rundbrief|infobrief)",
    r"^\W*(?:[\w-]+\W+){0,7}?[\w-]*newsletter(?: jetzt| hier| kostenlos| gratis| per e-mail)*"
    r"[ -](?:abonnieren|bestellen|anmelden|abonnement|anmeldung|abo)\W*$",
    # Romance languages
    r"^\W*(?:[^.?!:]{0,60}\? )?(?:abonnez|inscrivez|recevez|je m.abonne|s.abonner|s.inscrire|pour recevoir).{0,120}"
    r"(?:newsletter|infolettre|lettre d.information|bulletin)",
    r"^\W*(?:¿?quieres |no te pierdas nada[.,:]? )?(?:suscr[ií]b|recib|apúnt|apunt|regístr|únete|date de alta).{0,120}"
    r"(?:newsletter|bolet[ií]n)",
    r"^\W*(?:iscriv|ricev|registra|abbonat).{0,120}(?:newsletter|mailing list)",
    r"^\W*(?:assine|assina|inscrev|cadastr|receb|subscrev).{0,120}(?:newsletter|boletim)",
    r"^\W*(?:abonează|abonati|înscrie).{0,120}newsletter",
    # Germanic and Slavic languages, and others
    r"^\W*(?:(?:schrijf|meld) (?:je|u|jij)\b|abonneer|ontvang|aanmelden).{0,120}(?:nieuwsbrief|newsletter)",
    r"^\W*(?:prenumerera|anmäl|skriv|få|meld|abonner|abonnér|tilmeld|motta).{0,120}(?:nyhetsbrev|nyhedsbrev"
    r"|newsletter)",
    r"^\W*(?:tilaa|liity).{0,80}(?:uutiskirje|newsletter)",
    r"^\W*(?:zapisz|zapraszamy|dołącz|subskrybuj|otrzymuj|přihlas|přihlásit|odebír|odeber|prihlás|odober"
    r"|iratkoz).{0,120}"
    r"(?:newsletter|zpravodaj|hírlev)",
    r"^\W*(?:подпи|підпи|получайте|отримуйте|абонира).{0,120}(?:рассылк|розсилк|newsletter|бюлетин)",
    r"^\W*.{0,40}bülten.{0,40}(?:abone|kayıt|kaydol)",
    r"^\W*(?:请|免费|免費|立即|歡迎|欢迎|点击|點擊)*(?:订阅|訂閱|注册|註冊).{0,60}(?:通讯|通訊|電子報|电子报|邮件|快讯|newsletter)",
    r"^\W*.{0,30}(?:メールマガジン|メルマガ|ニュースレター).{0,20}(?:登録|購読|申し?込).{0,20}$",
    r"^\W*(?:購読|登録).{0,60}(?:メールマガジン|メルマガ|ニュースレター)",
    r"^\W*.{0,30}뉴스레터.{0,20}(?:구독|신청|받아).{0,20}$",
)
_YOUR = r"(?:in |on |by |for |with )?(?:your|this|the) (?:web )?(?:browser|device|page|site|website|settings)"
NO_SCRIPTS = _any_of(
    r"^\W*(?:please|you(?:.ll)? (?:need|must|have)(?: to)?|(?:in order )?to (?:\w+ ){1,12}?(?:please|you (?:need|must"
    r"|have)(?: to)?))(?:,? \w+){0,3}? ?(?:enable|turn on|activate|allow|switch on|have) java"
    r" ?script\b(?!.{0,40}(?:settings"
    r"|click|menu|option))",
    r"^\W*(?:enable|turn on|activate|allow) java ?script (?:in your browser )?(?:to (?:view|see|use|watch|read|play"
    r"|load"
    r"|access|comment|continue)|for (?:the|this|a) )[^:]{0,100}$",
    r"^\W*(?:sorry,? |oops,? |note:? |warning:? )*(?:it (?:looks|seems|appears)(?: like| that)* )?(?:your (?:web"
    r" )?browser"
    r"(?: \w+){0,3}|you) (?:does not|doesn.t|do not|don.t|has|have)(?: \w+){0,3}? (?:support(?:ed)?|java ?script"
    r"|enable[d]?)\b.{0,40}java ?script",
    r"^\W*(?:sorry,? |oops,? |note:? |warning:? |looks like )*(?:your browser (?:does not|doesn.t) support"
    r"|your browser has(?: disabled)?|you have(?: disabled)?) java ?script\b",
    r"^.{0,80}\bjava ?script (?:is|seems|appears|has been|must|needs|should)(?: to)?(?: be)?(?: currently)?"
    r" ?(?:disabled"
    r"|turned off|not enabled|not available|not supported|unavailable|blocked|required|needed|enabled|switched off"
    r"|turned on)"
    r"(?: (?:"
    + _YOUR
    + r"|to (?:view|see|use|watch|read|play|load|access|display|run|post|comment|continue|complete|submit)"
    r"|for (?:this|the|full|best)|by your|on this|because)\b|\W*$)",
    r"^\W*(?:this|the|our) (?:web ?site|site|page|app|application|content|feature|form|video|map|chart|game|widget"
    r"|embed|blog"
    r"|service)(?: \w+){0,4} (?:requires|needs|relies on|works best with|cannot be (?:shown|displayed|played) without)"
    r" java ?script\b.{0,80}$",
    r"^\W*(?:bitte\b.{0,60}(?:aktivier|schalt|erlaub|ein)|sie müssen|um\b.{0,100}(?:aktivier|muss)).{0,60}java ?script",
    r"^\W*java ?script (?:ist|muss|scheint|wurde|wird).{0,80}(?:ihr|dein)em (?:web)?browser",
    r"^\W*java ?script muss.{0,40}(?:aktiviert|eingeschaltet|erlaubt)",
    r"^\W*(?:aktivieren sie|bitte|ihr browser).{0,40}java ?script\b(?!.{0,60}(?:einstellungen|klick))",
    r"^\W*(?:veuillez|merci d.|vous devez|il faut|pour [^.]{1,80}|activez).{0,40}?(?:activer|autoriser|activez)?"
    r" ?(?:le |l.)?java ?script\b.{0,80}(?:navigateur|pour|afficher|visualiser|voir|\W*$)",
    r"^\W*(?:le )?java ?script (?:est|semble)(?: être)? (?:désactivé|requis|nécessaire).{0,100}$",
    r"^\W*(?:por favor,? |debes? |debe |para [^.]{1,80},? |necesitas? |tienes que )?(?:activ[ae]r?|habilit[ae]r?|active"
    r"|tener(?: habilitado)?) (?:el )?java ?script\b.{0,80}(?:navegador|para)",
    r"^\W*(?:el )?java ?script (?:está|parece estar) (?:desactivado|deshabilitado|desativado"
    r"|desabilitado).{0,60}(?:tu|su|seu)"
    r" navegador",
    r"^\W*(?:por favor,? |é necessário |para [^.]{1,80},? )?(?:habilite|ative|ativar|habilitar|active) (?:o )?java"
    r" ?script\b"
    r".{0,80}(?:navegador|para)",
    r"^\W*(?:per favore,? |si prega di |devi |è necessario |per [^.]{1,80},? )?(?:abilita|attiva)(?:re|te)? (?:il )?"
    r"java ?script\b.{0,80}(?:browser|per)",
    r"^\W*(?:schakel|activeer|zet) java ?script\b.{0,80}$",
    r"^\W*(?:włącz|proszę włączyć|aktivera|slå på|aktivér|aktiver|ota).{0,30}java ?script\b.{0,80}$",
    r"^.{0,60}(?:включите|увімкніть|разрешите).{0,30}java ?script",
    r"^\W*(?:в вашем браузере|у вас).{0,20}(?:отключ|выключ).{0,20}java ?script",
    r"^.{0,40}(?:请|請).{0,20}(?:启用|啟用|开启|開啟|打开|打開|允许|允許).{0,10}java ?script(?!.{0,30}(?:设置|設定))",
    r"^.{0,20}(?:浏览器|瀏覽器).{0,16}(?:不支持|不支援|禁用|未启用|停用|关闭).{0,10}java ?script",
    r"^.{0,60}java ?script.{0,8}(?:有効|オン|on)に(?:して|する必要|なって).{0,30}$",
    r"^.{0,40}(?:자바스크립트|java ?script).{0,8}(?:활성화|사용|허용).{0,30}$",
)
CLOAK = re.compile(  # an address that a script would show, also in the middle of a text
    r"this e-?mail address is being protected from spambots\. you need java ?script enabled to view it\.?"
    r"|diese e-mail-adresse ist vor spambots geschützt! zur anzeige muss java ?script eingeschaltet sein[.!]?"
    r"|cette adresse e-?mail est protégée contre les robots spammeurs\. vous devez activer le java ?script pour la"
    r" visualiser\.?|(?:esta dirección de correo electrónico|la dirección de e-mail)[^.]{0,30} protegid[ao][^.]{0,40}"
    r"(?:spam|robots)[^.]{0,20}\. (?:necesita|usted necesita)[^.]{0,60}java ?script[^.]{0,60}\."
    r"|questo indirizzo e-?mail è protetto dagli spambots\. è necessario abilitare java ?script per vederlo\.?"
    r"|dit e-mailadres wordt beveiligd tegen spambots\. java ?script dient ingeschakeld te zijn om het te bekijken\.?"
    r"|этот адрес электронной почты защищен от спам-ботов\. у вас должен быть включен java ?script для просмотра\.?",
    re.IGNORECASE,
)
_UNIT = (
    r"(?:min(?:ute[ns]?|utos?|uti|uten|uuttia|uty|ut)?|mins?|мин(?:ут[аы]?)?|хв(?:илин)?|dk|dakika|分钟|分鐘|分|분)\.?"
)
READING_TIME = _any_of(
    r"^\W*(?:(?:estimated|average|approx(?:imate)?\.?) )?(?:reading|read) time\W{0,4}(?:is |about "
    r"|approx(?:imately)?\.? |less than"
    r" |~ ?|< ?)?(?:\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten)\W{0,3}" + _UNIT + r"(?: read)?\W*$",
    r"^\W*(?:less than |about |~ ?|< ?)?\d{1,3}(?:\s*[-–]\s*\d{1,3})?[\s-]*" + _UNIT + r"\s+(?:read(?:ing(?: time)?)?"
    r"|lesezeit|lesedauer|de lecture|de lectura|di lettura|de leitura|leestijd|lästid|lesetid|læsetid|чтения"
    r"|czytania|čtení)"
    r"\W*$",
    r"^\W*(?:geschätzte |voraussichtliche |ca\. )?(?:lesezeit|lesedauer|leestijd|lästid|lesetid|læsetid|lukuaika"
    r"|okuma süresi"
    r"|(?:temps|durée) de lecture(?: estimé)?|lecture|tiempo (?:estimado )?de lectura|lectura|tempo (?:stimato )?di"
    r" lettura"
    r"|tempo (?:estimado )?de leitura|czas czytania|doba čtení|время (?:на )?чтени[ея]|час читання)\W{0,4}"
    r"(?:ca\. |etwa |environ |circa |unos |ungefähr |~ ?|< ?)?\d{1,3}\s*" + _UNIT + r"\W*$",
    r"^\W*(?:本文.{0,12}字.{0,3})?(?:预计|預計|大约|大約|全文)?(?:阅读|閱讀)(?:时间|時間|时长|完|本文|全文|大约|需要|约|約|需|\W){0,6}"
    r"\d{1,3}\s*" + _UNIT + r"\W*$",
    r"^\W*(?:この記事は)?(?:約|およそ)?\s*\d{1,3}\s*分で読め(?:ます|る).{0,3}$",
    r"^\W*(?:読了(?:時間|目安)?|読む時間|所要時間)\W{0,3}(?:約|およそ)?\s*\d{1,3}\s*分.{0,3}$",
    r"^\W*(?:읽는 ?시간|예상 읽기 시간)\W{0,3}(?:약 )?\d{1,3}\s*분\W*$",
)
_SITES = (
    r"(?:facebook|twitter|x|linkedin|whatsapp|reddit|pinterest|telegram|e-?mail|bluesky|mastodon|social media|xing)"
)
SHARE_LINE = _any_of(
    r"^\W*(?:share|tweet) (?:this|it)(?: (?:article|story|post|page|news|entry|recipe|video|content|with your"
    r" (?:friends"
    r"|network)))?(?: (?:on|via|with|using|to)(?:\W+(?:or |and )?" + _SITES + r"){0,6})?\W*$",
    r"^\W*(?:click to )?(?:share|tweet|email)(?: this)?(?: (?:on|via|to|with)(?:\W+(?:or |and )?" + _SITES + r"){1,6})"
    r"(?: \(opens in (?:a )?new (?:window|tab)\))?\W*$",
    r"^\W*click to tweet\W*$",
    r"^\W*(?:(?:diesen )?(?:artikel|beitrag) teilen|teilen (?:auf|mit|via|sie diesen)\b.{0,30}|partager (?:cet"
    r" article|sur"
    r" .{1,20}|l.article|cette page)|compartir (?:en|este artículo|esta noticia)\b.{0,20}|comparte(?: este artículo|"
    r" en .{1,20})?"
    r"|condividi (?:su|questo articolo|l.articolo)\b.{0,20}|compartilh(?:e|ar) (?:no|em|este|esta|isso)\b.{0,20}"
    r"|deel dit (?:artikel|bericht).{0,20}|dela (?:på|artikeln)\b.{0,20}|del på .{1,20}|поделиться(?: (?:в|с|на)"
    r" .{1,30})?"
    r"|udostępnij.{0,20}|分享(?:到|至)\W*(?:(?:微信|微博|新浪|QQ|空间|朋友圈|好友|豆瓣|facebook|twitter|line|人人网)\W*){0,8}"
    r"|(?:この記事を)?(?:シェア|共有|ツイート)する|이 (?:글|기사) 공유하기)\W*$",
)
COOKIES = _any_of(
    r"^\W*(?:we use|this (?:web)?site uses|our (?:web)?site uses|by (?:continuing|using|browsing|clicking)\b[^.]{0,60})"
    r" ?.{0,60}\bcookies\b",
    r"^\W*please (?:accept|allow|enable|consent to)\b.{0,60}\bcookies\b",
    r"^\W*(?:wir (?:verwenden|nutzen|setzen)|diese (?:web)?seite (?:verwendet|nutzt)|unsere website (?:verwendet"
    r"|nutzt)).{0,60}"
    r"cookies",
    r"^\W*(?:nous utilisons|ce site (?:web )?utilise|en poursuivant).{0,100}cookies",
    r"^\W*(?:utilizamos|usamos|este sitio(?: web)? (?:utiliza|usa)|esta web (?:utiliza|usa)|este site (?:utiliza"
    r"|usa)).{0,60}"
    r"cookies",
    r"^\W*(?:questo sito (?:utilizza|usa)|utilizziamo|usiamo).{0,60}cookie",
    r"^\W*(?:deze (?:web)?site gebruikt|wij gebruiken|we gebruiken).{0,60}cookies",
    r"^\W*(?:мы используем|этот сайт использует).{0,60}cookie",
    r"^\W*(?:本网站使用|本網站使用|我们使用|我們使用|当サイトでは).{0,30}cookie",
    r"^\W*(?:this|the) (?:content|video|post|map|embed) is (?:hosted|provided|embedded) by\b.{0,60}\. by (?:showing"
    r"|loading|"
    r"viewing|clicking)\b.{0,140}$",
    r"^\W*an dieser stelle (?:finden|befindet|wird)\b.{0,80}(?:extern|drittanbieter|inhalt).{0,160}$",
    r"^\W*(?:mit dem laden|durch das laden|zum laden|klicken sie).{0,60}(?:video|inhalt|karte"
    r"|beitrag)s?.{0,80}(?:datenschutz"
    r"|youtube|google|akzeptier|externe).{0,100}$",
)
