"""Words that say what the number behind them is, in groups: one bit per group.

A word counts if it stands at most so many bytes before the number.  A word in an alphabet must begin after something
that is no letter; `<` is no beginning, because placeholders such as `<phone>` are no words.  Chinese, Japanese and
Korean words may begin anywhere.  Capital letters count as small ones.
"""

import re
from functools import cache

WORDS: dict[str, str] = {
    "version": "v ver vers version versions versión versione versioni versionen versão versao wersja wersji wersję "
    "версия версии версию верс 版本 版本号 バージョン release releases rel rev revision build firmware kernel driver "
    "section sec sect chapter clause",
    "phone": "tel tele tél telf teléf telefon telefono teléfono telefone téléphone telephone telefoon telefonnummer "
    "telefonszám telefonu puhelin puh phone phones phoneno mobile mobil móvil movil celular cellulare cell fax "
    "facsimile handy hotline whatsapp sms call tlf mob gsm komórka kom ph "
    "тел телефон телефоны моб факс τηλ τηλέφωνο هاتف الهاتف تلفون جوال الجوال موبايل فاكس تلفن "
    "موبایل טלפון נייד טל फोन मोबाइल दूरभाष "
    "电话 電話 手机 手機 传真 傳真 联系方式 热线 熱線 携帯 "
    "ファックス ファクス 전화 전화번호 휴대폰 팩스 핸드폰 연락처 โทร โทรศัพท์ ☎ ☏ 📞 📱 ✆",
    "us": "ssn ssns ss# social_security",
    "cn": "身份证 身份證 公民身份号码",
    "br": "cpf cpfs",
    "es": "dni nie nif documento_nacional d.n.i",
    "fr": "nir insee sécurité_sociale sécu numéro_de_sécurité_sociale",
    "de": "steuer-id steuerid steueridentifikationsnummer identifikationsnummer idnr steuerliche "
    "steuer-identifikationsnummer",
    "gb": "nino national_insurance ni_number nhs nhs_number ni_no",
    "nl": "bsn burgerservicenummer sofinummer sofi-nummer",
    "be": "rijksregisternummer rijksregister registre_national nn insz niss numéro_national",
    "pl": "pesel",
    "se": "personnummer personnr pnr samordningsnummer",
    "dk": "cpr cpr-nr cpr-nummer personnummer",
    "no": "fødselsnummer fodselsnummer personnummer fnr d-nummer",
    "in": "aadhaar aadhar adhaar uidai uid आधार pan pan_card permanent_account",
    "jp": "マイナンバー 個人番号 my_number mynumber",
    "tw": "身分證 身分證字號 national_id 統一編號",
    "sg": "nric fin",
    "tr": "kimlik tckn tc_no t.c",
    "za": "id_number identity_number id_no rsa_id said",
    "il": "תעודת_זהות ת.ז ת״ז teudat_zehut",
    "ro": "cnp",
    "bg": "егн egn",
    "ru": "инн снилс inn snils",
    "ca": "sin social_insurance nas",
    "au": "tfn tax_file",
    "pt": "nif contribuinte",
    "ee": "isikukood isikukoodi asmens_kodas a.k",
    "gr": "αμκα amka",
    "hr": "oib",
    "th": "บัตรประชาชน เลขประจำตัวประชาชน citizen_id",
    "card": "card cards visa mastercard amex carte tarjeta karte kreditkarte cartão carta kaart карта карты "
    "卡号 信用卡 银行卡 カード番号 カード 카드 cc pan",
    "secret": "secret token tokens password passwd pwd api_key apikey api-key access_key accesskey "
    "access-key secret_key "
    "secretkey secret-key private_key privatekey auth_key authkey client_secret clientsecret accountkey account_key "
    "authorization x-api-key credential credentials passphrase bearer 密钥 密码 令牌",
}
"""Group: its words; `_` stands for a space, and in the group secret for itself or a space."""

GROUPS = {name: 1 << i for i, name in enumerate(WORDS)}
ANYWHERE = frozenset({"secret"})  # groups whose words may begin within a word: AWS_SECRET, authToken


def variants(group: str) -> list[bytes]:
    """The words of a group in all forms that are looked for: UTF-8, ASCII letters small."""
    found: dict[bytes, None] = {}
    for word in WORDS[group].split():
        for form in (word.replace("_", " "), word) if group in ANYWHERE else (word.replace("_", " "),):
            for cased in (form, form.upper(), form.capitalize()):
                found[cased.encode().lower()] = None  # bytes.lower() is of ASCII
    return list(found)


def is_spaceless(word: bytes) -> bool:
    """Whether a word may begin and end anywhere: its first character is neither ASCII nor of an alphabet."""
    first = ord(word.decode()[0])
    return 0x0E00 <= first < 0x0F00 or 0x2600 <= first < 0x2800 or first >= 0x3000


@cache
def pattern(groups: int, at_end: bool) -> re.Pattern[bytes]:
    """An expression for the words of some groups, anywhere or at the end of what is searched."""
    parts: list[bytes] = []
    for name, bit in GROUPS.items():
        if groups & bit:
            for word in variants(name):
                if name in ANYWHERE or is_spaceless(word):
                    parts.append(re.escape(word))
                elif word[0] < 0x80:
                    parts.append(rb"(?<![0-9A-Za-z_<])" + re.escape(word) + rb"(?![A-Za-z])")
                else:
                    parts.append(rb"(?<![0-9A-Za-z_<\x80-\xff])" + re.escape(word) + rb"(?![\x80-\xff])")
    return re.compile(rb"(?:" + rb"|".join(parts) + (rb")\Z" if at_end else rb")"), re.IGNORECASE)
