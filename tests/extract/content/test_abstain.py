"""Pages without main content are recognised, in many languages, and pages that only mention such things are not."""

import time

import numpy as np
import pytest

from corpusmill.extract.content.abstain import CONFIRMED, SMALL_PAGE, no_content
from corpusmill.extract.content.phrases import _table, called, fold, fold_name, is_status_number, said
from corpusmill.extract.segments.segment import segment
from corpusmill.extract.segments.tables import BIT
from corpusmill.reasons import Status

AROUND = BIT["nav"] | BIT["footer"] | BIT["noscript"] | BIT["hidden"] | BIT["display_none"]
SCRIPT = '<script src="/main.js"></script>'


def page(title: str, body: str, head: str = "") -> str:
    return f"<!DOCTYPE html><html><head><title>{title}</title>{head}</head><body>{body}</body></html>"


def reason_of(html: str, title: str | None = None) -> Status | None:
    """The reason, if a classifier kept all text to be seen outside navigation and footer."""
    segments = segment(html.encode())
    keep = (segments.blocks["flags"] & AROUND) == 0
    return no_content(segments, keep, title or html.partition("<title>")[2].partition("</title>")[0])


def with_navigation(inner: str) -> str:
    items = "".join(f"<li><a href=/{i}>Section {i}</a></li>" for i in range(20))
    return f"<nav><ul>{items}</ul></nav><main>{inner}</main><footer>All rights reserved.</footer>{SCRIPT}"


NOT_FOUND = {
    "en": ("Page not found", "The page you are looking for may have been moved or deleted."),
    "de": ("Seite nicht gefunden", "Die gewünschte Seite existiert nicht mehr."),
    "fr": ("Page introuvable", "La page que vous recherchez n'existe pas ou a été déplacée."),
    "es": ("Página no encontrada", "Lo sentimos, la página que busca ya no está disponible."),
    "pt": ("Página não encontrada", "A página que você procura não existe ou foi removida."),
    "it": ("Pagina non trovata", "La pagina richiesta non esiste o è stata spostata."),
    "nl": ("Pagina niet gevonden", "De pagina die u zoekt bestaat niet of is verplaatst."),
    "pl": ("Nie znaleziono strony", "Strona, której szukasz, nie istnieje."),
    "cs": ("Stránka nenalezena", "Stránka, kterou hledáte, neexistuje."),
    "ru": ("Страница не найдена", "Запрашиваемая страница была удалена или перемещена."),
    "uk": ("Сторінку не знайдено", "Сторінка, яку ви шукаєте, не існує."),
    "el": ("Η σελίδα δεν βρέθηκε", "Η σελίδα που αναζητάτε δεν υπάρχει."),
    "tr": ("Sayfa bulunamadı", "Aradığınız sayfa kaldırılmış olabilir."),
    "ar": ("الصفحة غير موجودة", "الصفحة التي تبحث عنها غير متوفرة."),
    "he": ("הדף לא נמצא", "הדף שחיפשת אינו קיים."),
    "vi": ("Không tìm thấy trang", "Trang bạn đang tìm không tồn tại."),
    "th": ("ไม่พบหน้าที่ต้องการ", "ขออภัย ไม่พบหน้าที่คุณกำลังมองหา"),
    "zh": ("页面不存在", "您访问的页面可能已被删除。"),
    "ja": ("ページが見つかりません", "お探しのページは削除された可能性があります。"),
    "ko": ("페이지를 찾을 수 없습니다", "요청하신 페이지가 삭제되었거나 주소가 변경되었습니다."),
}


@pytest.mark.parametrize("language", NOT_FOUND)
def test_page_not_found(language):
    title, text = NOT_FOUND[language]
    soft = with_navigation(f"<h1>{title}</h1><p>{text}</p><form><input name=s></form>")
    assert reason_of(page(f"{title} – Example", soft)) is Status.ERROR_PAGE
    assert reason_of(page("Example", soft)) is Status.ERROR_PAGE
    assert reason_of(page(f"{title} | Example", with_navigation(f"<p>{text}</p>"))) is Status.ERROR_PAGE
    assert reason_of(page("Example", f"<p>{text}</p>")) is Status.ERROR_PAGE


LOGIN = {
    "en": ("Sign in", "E-mail", "Forgot your password?"),
    "de": ("Anmelden", "Benutzername", "Passwort vergessen?"),
    "fr": ("Connexion", "Identifiant", "Mot de passe oublié ?"),
    "es": ("Iniciar sesión", "Usuario", "¿Olvidaste tu contraseña?"),
    "pt": ("Entrar", "Usuário", "Esqueceu a senha?"),
    "it": ("Accedi", "Nome utente", "Password dimenticata?"),
    "pl": ("Logowanie", "Login", "Nie pamiętasz hasła?"),
    "ru": ("Авторизация", "Логин", "Забыли пароль?"),
    "el": ("Σύνδεση", "Χρήστης", "Ξεχάσατε τον κωδικό;"),
    "tr": ("Giriş yap", "Kullanıcı adı", "Şifremi unuttum"),
    "ar": ("تسجيل الدخول", "اسم المستخدم", "نسيت كلمة المرور؟"),
    "vi": ("Đăng nhập", "Tên đăng nhập", "Quên mật khẩu?"),
    "zh": ("用户登录", "用户名", "忘记密码？"),
    "ja": ("ログイン", "メールアドレス", "パスワードをお忘れですか？"),
    "ko": ("로그인", "아이디", "비밀번호 찾기"),
}


@pytest.mark.parametrize("language", LOGIN)
def test_login_page(language):
    title, user, forgot = LOGIN[language]
    form = f"<form><label>{user}</label><input name=u><input type=password><a href=/f>{forgot}</a></form>"
    assert reason_of(page(f"{title} ‹ Example", with_navigation(f"<h1>{title}</h1>{form}"))) is Status.LOGIN_PAGE
    assert reason_of(page("Example", form)) is Status.LOGIN_PAGE
    identifier_first = f"<h1>{title}</h1><form><label>{user}</label><input name=u></form><a>{forgot}</a>"
    assert reason_of(page(f"{title} - Example", with_navigation(identifier_first))) is Status.LOGIN_PAGE


OTHERS = {
    Status.ERROR_PAGE: [
        ("404 Not Found", "<center><h1>404 Not Found</h1></center><hr><center>nginx/1.18.0</center>"),
        ("403 Forbidden", "<h1>Forbidden</h1><p>You don't have permission to access this resource.</p>"),
        ("Erreur 500", "<h1>Erreur 500</h1><p>Un administrateur a été prévenu.</p>"),
        ("503 Backend fetch failed", "<h1>Error 503</h1><p>Guru Meditation:</p><p>XID: 360473</p>"),
        ("Wartungsarbeiten", "<h1>Wir sind gleich wieder da</h1><p>Zurzeit führen wir Wartungsarbeiten durch.</p>"),
        ("Technische Störung", "<h1>Технические работы</h1><p>Сайт временно недоступен.</p>"),
        ("メンテナンス中", "<p>ただいまメンテナンス中です。しばらくお待ちください。</p>"),
    ],
    Status.BOT_CHALLENGE: [
        ("Just a moment...", "<h1>example.com</h1><h2>Checking your browser before accessing the site.</h2>"),
        ("example.com", "<h2>Verifying</h2><script>window._cf_chl_opt={cvId:'3'}</script>"),
        ("安全验证", "<p>请完成下方验证，确认您不是机器人。</p>"),
        ("Вы не робот?", "<h1>Подтвердите, что запросы отправляли вы, а не робот</h1>"),
        ("Sicherheitsabfrage", "<p>Bitte bestätigen Sie, dass Sie ein Mensch sind.</p>"),
    ],
    Status.CONSENT_WALL: [
        ("Before you continue", "<h1>Before you continue</h1><p>We use cookies and data to deliver our services.</p>"),
        ("Bevor Sie fortfahren", "<p>Wir verwenden Cookies und Daten, um Dienste bereitzustellen.</p>"),
        ("Example", "<h1>Avez-vous l'âge légal ?</h1><p>Vous devez avoir plus de 18 ans.</p>"),
        ("年齢確認", "<p>20歳未満の方はご覧いただけません。</p><a>はい</a> <a>いいえ</a>"),
        ("Szanujemy Twoją prywatność", "<p>My i nasi partnerzy przechowujemy informacje, takie jak pliki cookie.</p>"),
    ],
    Status.PARKED_DOMAIN: [
        ("example.com is for sale", "<h1>example.com</h1><p>Make an offer today.</p>"),
        ("beispiel.de", "<h1>Die Domain beispiel.de steht zum Verkauf</h1><ul><li>Reisen<li>Hotels<li>Flüge</ul>"),
        ("Welcome to nginx!", "<h1>Welcome to nginx!</h1><p>Further configuration is required.</p>"),
        ("Example", "<h1>Strona w budowie</h1><p>Zapraszamy wkrótce.</p>"),
        ("Example", "<h2>网站建设中</h2><p>敬请期待</p>"),
        ("Sitio en construcción", "<p>Vuelva más tarde.</p>"),
    ],
    Status.JAVASCRIPT_SHELL: [
        ("App", f'<div id="root"></div>{SCRIPT}'),
        ("App", f'<noscript>You need to enable JavaScript to run this app.</noscript><div id="app"></div>{SCRIPT}'),
        ("App", f"<h2>このサイトをご利用いただくにはJavaScriptを有効にしてください。</h2>{SCRIPT}"),
        ("App", with_navigation('<noscript>Необходимо включить JavaScript</noscript><div id="__nuxt"></div>')),
    ],
    Status.NO_MAIN_CONTENT: [
        ("", ""),
        ("Poster", '<img src="poster.jpg">'),
        ("Redirecting…", '<h1>Redirecting…</h1><a href="/x">Click here if you are not redirected.</a>'),
        ("Gallery", "<a href=home.htm>ENTER</a>"),
    ],
}


@pytest.mark.parametrize(
    ("reason", "title", "body"), [(reason, *case) for reason, cases in OTHERS.items() for case in cases]
)
def test_reason(reason, title, body):
    assert reason_of(page(title, body)) is reason


def test_redirect_in_the_head():
    refresh = '<meta http-equiv="Refresh" content="0; URL=https://example.com/new/">'
    assert reason_of(page("Firma Müller", "<p>Neue Adresse: example.com</p>", refresh)) is Status.NO_MAIN_CONTENT
    reload = '<meta http-equiv="refresh" content="300">'
    assert reason_of(page("Live", "<p>Stand der Dinge um acht Uhr</p>", reload)) is None


def test_frames():
    html = (
        "<html><head><title>Ring</title></head><frameset><frame src=a.htm><noframes>None.</noframes></frameset></html>"
    )
    assert reason_of(html) is Status.NO_MAIN_CONTENT


def test_body_class_of_software():
    html = page("Ups", "<p>Mai nimic aici.</p>").replace("<body>", '<body class="error404 wp-custom-logo">')
    assert reason_of(html) is Status.ERROR_PAGE


WORDS = "harbour bridge evening council river market lantern gardener violin winter copper meadow"
ARTICLE = " ".join(f"<p>Sentence {i} tells of {WORDS}.</p>" for i in range(40))


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("How to fix error 404", "<h1>How to fix error 404</h1><p>The requested URL was not found on this server.</p>"),
        ("404 Media reports", "<h2>Page not found</h2><p>Something went wrong.</p>"),
        ("A history of the cookie", "<h2>We value your privacy</h2><p>We use cookies and data to follow people.</p>"),
        ("Login", "<h1>Login</h1><p>You must be logged in. Forgot your password?</p><input type=password>"),
        ("Coming soon", "<h1>Coming soon</h1><p>Buy this domain. This domain is for sale.</p>"),
        ("Just a moment...", "<p>Verify you are human.</p>"),
        ("ページが見つかりません", "<p>お探しのページは存在しません</p>"),
    ],
)
def test_much_text_is_content_whatever_it_mentions(title, text):
    assert reason_of(page(title, f"<main>{text}{ARTICLE}</main>")) is None


@pytest.mark.parametrize(
    ("title", "text"),
    [
        # Short pages with content of their own
        ("Bürgerbüro", "<h1>Bürgerbüro</h1><p>Rathausplatz 1, Zimmer 12. Montag bis Freitag von acht bis zwölf Uhr. "
         "Für die Anmeldung eines Wohnsitzes bringen Sie bitte Ihren Ausweis und die Bestätigung des Vermieters mit. "
         "Ohne Termin ist mit Wartezeiten zu rechnen, besonders am Montag.</p>"),
        ("Haiku", "<h1>Haiku</h1><p>An old silent pond. A frog jumps into the pond. Splash! Silence again.</p>"),
        ("Peugeot 404", "<h1>Peugeot 404</h1><p>A large family car made from 1960 to 1975, drawn by Pininfarina.</p>"),
        ("図書館だより", "<h1>図書館だより</h1><p>来週から児童書の新しい棚ができます。読み聞かせは土曜です。</p>"),
        ("Piano is for sale", "<h1>Piano</h1><p>Upright piano from 1962, tuned last spring. To be picked up.</p>"),
        # A form to log in beside a short text
        ("Frage", "<form><input name=u><input type=password><button>Login</button></form><p>Kennt jemand einen guten "
         "Klempner in Altona? Bei uns tropft seit Sonntag der Hahn in der Küche, und keiner geht ans Telefon.</p>"),
    ],
)  # fmt: skip
def test_little_text_may_be_content(title, text):
    assert reason_of(page(title, with_navigation(text))) is None


def test_cookie_banner_that_was_not_kept_is_no_wall():
    html = page("Haiku", "<div>We use cookies. Accept all cookies.</div><p>An old silent pond. A frog jumps in.</p>")
    segments = segment(html.encode())
    assert no_content(segments, np.array([False, True]), "Haiku") is None


def test_an_article_beside_a_form_to_log_in_is_an_article():
    story = "".join(
        f"<p>The mill by the river grinds its corn slowly, as it has done for {k} years." for k in range(16)
    )
    form = "<h1>Log in</h1><form><input name=user><input type=password><button>Log in</button></form>"
    assert reason_of(f"<title>The mill</title>{form}<main>{story}</main>") is None


def test_little_that_is_unlikely_is_no_content():
    segments = segment(
        page("Topics", "<p>Accept all cookies.</p><ul><li>Process<li>Standards Track<li>Other</ul>").encode()
    )
    keep = segments.blocks["flags"] & BIT["list"] != 0
    assert no_content(segments, keep, "Topics", 0.3) is Status.NO_MAIN_CONTENT
    assert no_content(segments, keep, "Topics", 0.4) is None


SHELL = "<h1>Kauf</h1><p>Suche</p><p>Hilfe, Rückgabe, Impressum</p><p>Русский, 日本語, English</p><p>购物车</p>"


@pytest.mark.parametrize(
    ("title", "is_elsewhere"),
    [
        ("Mechanical keyboard, wireless, eighty keys, brown - Kauf", True),
        ("Механическая клавиатура, восемьдесят клавиш, беспроводная", True),
        ("机械键盘八十键无线", True),
        ("Rückgabe, Impressum und Hilfe: der Kauf", False),
        ("购物车和机", False),  # of four pairs
        ("日本語の購", False),
        ("Mechanical keyboard, wireless", False),  # of three words
        ("", False),
    ],
)
def test_a_page_without_its_subject_has_no_content_unless_something_surely_is(title, is_elsewhere):
    segments = segment(page("x", SHELL).encode())
    keep = np.ones(len(segments.blocks), np.bool_)
    assert no_content(segments, keep, title, 0.4) is (Status.NO_MAIN_CONTENT if is_elsewhere else None)
    assert no_content(segments, keep, title, 0.6) is None


def test_of_much_text_no_subject_is_asked():
    segments = segment(page("x", SHELL + "<p>word" * (SMALL_PAGE // 5)).encode())
    keep = np.arange(len(segments.blocks)) < 5
    assert segments.text.size > SMALL_PAGE
    assert no_content(segments, keep, "Mechanical keyboard, wireless, eighty keys, brown", 0.4) is None


def test_limit_of_words():
    def of(n_words: int) -> Status | None:
        return reason_of(page("Page not found", f"<h1>404</h1><p>{'word ' * (n_words - 1)}</p>"))

    assert of(CONFIRMED) is Status.ERROR_PAGE
    assert of(CONFIRMED + 1) is None


def test_title():
    """That of metadata may be the site's, and <title> the page's; or there may be none."""
    named = segment(b"<title>Page not found &ndash; Example</title><p>Of the ship nothing was left.")
    assert no_content(named, np.ones(1, np.bool_), "Example") is Status.ERROR_PAGE
    unnamed = segment(b"<p>Of the ship nothing was left.")
    assert no_content(unnamed, np.ones(1, np.bool_), "Page not found") is Status.ERROR_PAGE
    assert no_content(unnamed, np.ones(1, np.bool_), None) is None


@pytest.mark.parametrize(
    "html",
    [
        f"<title>{' ' * 1_000_000}|</title><p>One.",
        f"<title>{'a b ' * 300_000}</title><p>One.",
        f"<h1>{'=' * 1_000_000}</h1>",
        "<p>!" * 200_000,
        f"<p>{'page' * 300_000}",
        "<body " + "a=b " * 200_000 + ">",
    ],
    ids=["blank title", "long title", "long heading", "blocks without words", "long word", "long tag"],
)
def test_time_is_bounded(html):
    segments = segment(html.encode())
    start = time.thread_time()
    no_content(segments, np.ones(len(segments.blocks), np.bool_), html[7:-12])
    assert time.thread_time() - start < 0.1


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Página NO encontrada!", " pagina no encontrada "),
        ("We can’t find it", " we can t find it "),
        ("ŞİFREMİ unuttum", " sifremi unuttum "),
        ("Straße_ÉTÉ", " strasse ete "),
        ("ガイド", " カイト "),
        ("", "  "),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


def test_names_make_up_half_of_what_they_name():
    assert called(fold("Oops! Page not found")) == {Status.ERROR_PAGE}
    assert not called(fold("What to do where a search engine says: page not found"))
    assert called(fold_name("Die Domain beispiel.de steht zum Verkauf")) == {Status.PARKED_DOMAIN}


def test_phrases_begin_with_words_and_end_anywhere():
    assert said(fold("Запрашиваемую страницу не нашли, не существует")) == {Status.ERROR_PAGE}
    assert not said(fold("prescheduled maintenance"))
    assert said(fold("この度はお探しのページはありません")) == {Status.ERROR_PAGE}


@pytest.mark.parametrize(
    "text", ["404", "Error 404", "HTTP Status 500", "Ошибка 404", "오류 404", "錯誤 404", "503 Error"]
)
def test_status_number(text):
    assert is_status_number(fold(text))


@pytest.mark.parametrize("text", ["Peugeot 404", "404 Media", "1404", "200", "4040", "Room 403", ""])
def test_no_status_number(text):
    assert not is_status_number(fold(text))


@pytest.mark.parametrize("use", ["names", "sayings"])
def test_every_phrase_is_found(use):
    table = _table(use)
    phrases = [pair for by_key in (table.at_words, table.anywhere) for pairs in by_key.values() for pair in pairs]
    assert len(phrases) > 900
    for phrase, reason in phrases:
        assert (phrase, reason) in set(table.found_in(f" x {phrase} x "))
