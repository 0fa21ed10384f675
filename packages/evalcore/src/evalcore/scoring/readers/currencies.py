"""The currencies of ISO 4217: codes, English names (those of Unicode's CLDR) and symbols.

A unit is what an amount says of its currency: a code (`chf`) where it is certain, or what stands for
several (`$`, `dollars`, `kr`), of which the other side may say which one it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_TABLE: Final = """
aed uae dirham
afn afghan afghani
all albanian lek, albanian lekë
amd armenian dram
ang netherlands antillean guilder
aoa angolan kwanza
ars argentine peso
aud australian dollar
awg aruban florin, aruban florin
azn azerbaijani manat
bam bosnia-herzegovina convertible mark
bbd barbadian dollar
bdt bangladeshi taka
bgn bulgarian lev, bulgarian leva
bhd bahraini dinar
bif burundian franc
bmd bermudan dollar
bnd brunei dollar
bob bolivian boliviano
brl brazilian real
bsd bahamian dollar
btn bhutanese ngultrum
bwp botswanan pula
byn belarusian ruble
bzd belize dollar
cad canadian dollar
cdf congolese franc
chf swiss franc
clp chilean peso
cny chinese yuan, chinese yuan
cop colombian peso
crc costa rican colón
cup cuban peso
cve cape verdean escudo
czk czech koruna
djf djiboutian franc
dkk danish krone, danish kroner
dop dominican peso
dzd algerian dinar
egp egyptian pound
ern eritrean nakfa
etb ethiopian birr
eur euro
fjd fijian dollar
fkp falkland islands pound
gbp british pound
gel georgian lari
ghs ghanaian cedi
gip gibraltar pound
gmd gambian dalasi
gnf guinean franc
gtq guatemalan quetzal
gyd guyanaese dollar
hkd hong kong dollar
hnl honduran lempira
htg haitian gourde
huf hungarian forint
idr indonesian rupiah
ils israeli new shekel
inr indian rupee
iqd iraqi dinar
irr iranian rial
isk icelandic króna, icelandic krónur
jmd jamaican dollar
jod jordanian dinar
jpy japanese yen, japanese yen
kes kenyan shilling
kgs kyrgyz som
khr cambodian riel
kmf comorian franc
kpw north korean won, north korean won
krw south korean won, south korean won
kwd kuwaiti dinar
kyd cayman islands dollar
kzt kazakhstani tenge
lak laotian kip
lbp lebanese pound
lkr sri lankan rupee
lrd liberian dollar
lsl lesotho loti
lyd libyan dinar
mad moroccan dirham
mdl moldovan leu, moldovan lei
mga malagasy ariary, malagasy ariaries
mkd macedonian denar, macedonian denari
mmk myanmar kyat
mnt mongolian tugrik
mop macanese pataca
mru mauritanian ouguiya
mur mauritian rupee
mvr maldivian rufiyaa
mwk malawian kwacha
mxn mexican peso
myr malaysian ringgit
mzn mozambican metical
nad namibian dollar
ngn nigerian naira
nio nicaraguan córdoba
nok norwegian krone, norwegian kroner
npr nepalese rupee
nzd new zealand dollar
omr omani rial
pab panamanian balboa
pen peruvian sol, peruvian soles
pgk papua new guinean kina, papua new guinean kina
php philippine peso
pkr pakistani rupee
pln polish zloty
pyg paraguayan guarani
qar qatari riyal
ron romanian leu, romanian lei
rsd serbian dinar
rub russian ruble
rwf rwandan franc
sar saudi riyal
sbd solomon islands dollar
scr seychellois rupee
sdg sudanese pound
sek swedish krona, swedish kronor
sgd singapore dollar
shp st helena pound
sle sierra leonean leone
sos somali shilling
srd surinamese dollar
ssp south sudanese pound
stn são tomé and príncipe dobra
svc salvadoran colón, salvadoran colones
syp syrian pound
szl swazi lilangeni, swazi emalangeni
thb thai baht, thai baht
tjs tajikistani somoni
tmt turkmenistani manat, turkmenistani manat
tnd tunisian dinar
top tongan pa'anga, tongan pa'anga
try turkish lira, turkish lira
ttd trinidad and tobago dollar
twd new taiwan dollar
tzs tanzanian shilling
uah ukrainian hryvnia
ugx ugandan shilling
usd us dollar
uyu uruguayan peso
uzs uzbekistani som, uzbekistani som
ved bolívar soberano
ves venezuelan bolívar
vnd vietnamese dong, vietnamese dong
vuv vanuatu vatu
wst samoan tala, samoan tala
xaf central african cfa franc
xcd east caribbean dollar
xcg caribbean guilder
xof west african cfa franc
xpf cfp franc
yer yemeni rial
zar south african rand, south african rand
zmw zambian kwacha
zwg zimbabwean gold, zimbabwean gold
"""
"""A code, its name for one, and its name for many where that is not formed with an s."""

_MORE_NAMES: Final = """
usd u.s. dollar, us$, american dollar, united states dollar
gbp pound sterling, sterling, uk pound, english pound, pounds sterling
chf sfr, sfr.
cny renminbi, rmb, chinese renminbi, yuan renminbi
ils nis, israeli shekel, israeli shekels
zar south african rands
brl brazilian reais, reais
try turkish liras
pyg paraguayan guaraníes
nzd nz dollar
hkd hk dollar
xaf fcfa
all albanian leks
"""

_WORD_LIKE_CODES: Final = (
    "all amd ang bam bob cad cop cup dop gel gip lak mad mop mur pab pen ron sos top try"
)
WORD_LIKE: Final = frozenset(_WORD_LIKE_CODES.split())
"""Codes that are words as well, or may be: they are codes in capitals alone (`TRY 500`, not `try 500`)."""

# `500 dollars` leaves open whose: the other side may say it.
_BARE_NAMES: Final = (
    "baht birr cedi dinar dirham dong euro forint franc hryvnia koruna krona krone naira peso pound rand"
    " ringgit ruble rupee rupiah rial riyal shekel shilling lira won yen yuan zloty dollar"
)
_BARE: Final = frozenset(_BARE_NAMES.split())
"""Names of which the first part may be left out."""

_SYMBOLS: Final[Mapping[str, str]] = {
    "us$": "usd", "a$": "aud", "au$": "aud", "c$": "cad", "ca$": "cad", "can$": "cad", "nz$": "nzd",
    "hk$": "hkd", "s$": "sgd", "sg$": "sgd", "nt$": "twd", "r$": "brl", "mx$": "mxn", "mex$": "mxn",
    "ec$": "xcd", "j$": "jmd", "tt$": "ttd", "fj$": "fjd", "bz$": "bzd", "cn¥": "cny", "jp¥": "jpy",
    "€": "eur", "₹": "inr", "₩": "krw", "₪": "ils", "₫": "vnd", "₱": "php", "₽": "rub", "₺": "try",
    "₴": "uah", "₦": "ngn", "₡": "crc", "₲": "pyg", "₵": "ghs", "₸": "kzt", "₭": "lak", "₮": "mnt",
    "₼": "azn", "₾": "gel", "฿": "thb", "៛": "khr", "؋": "afn", "֏": "amd", "৳": "bdt", "zł": "pln",
    "kč": "czk", "ft": "huf", "лв": "bgn", "₤": "gbp",
}  # fmt: skip
"""Symbols that stand for one currency."""


def _units() -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    """Return what each name stands for, and the codes behind what stands for several."""
    names: dict[str, str] = dict(_SYMBOLS)
    several: dict[str, set[str]] = {}
    for line in filter(None, (_TABLE + _MORE_NAMES).splitlines()):
        code, _, written = line.partition(" ")
        forms = [form.strip() for form in written.split(",")]
        # A name for many is given where it is not formed with an s.
        forms += [f"{forms[0]}s"] if len(forms) == 1 or not forms[0].isascii() or code == "usd" else []
        names[code] = code
        for form in forms:
            names.setdefault(form, code)
        first, last = forms[0].rsplit(" ", 1)[-1], forms[-1].rsplit(" ", 1)[-1]
        if first in _BARE:
            several.setdefault(first, set()).add(code)
            for bare in {first, last, f"{first}s"}:
                names.setdefault(bare, first)
    groups = {name: frozenset(codes) for name, codes in several.items()}
    # `baht` is one currency's name: it means that one for certain.
    only = {name: next(iter(codes)) for name, codes in groups.items() if len(codes) == 1}
    names = {name: only.get(unit, unit) for name, unit in names.items()}
    groups["krona"] = groups.get("krona", frozenset({"sek"}))
    names |= {"$": "$", "£": "£", "¥": "¥", "kr": "kr", "kr.": "kr", "rs": "rs", "rs.": "rs", "fr": "franc"}
    groups |= {
        "$": groups["dollar"] | groups["peso"],
        "£": groups["pound"],
        "¥": frozenset({"jpy", "cny"}),
        "kr": groups["krone"] | groups["krona"] | {"isk"},
        "rs": groups["rupee"],
    }
    return names, groups


UNIT_OF, _SEVERAL = _units()
"""From a code, a name or a symbol in lower case to its unit."""
CURRENCIES: Final = frozenset(UNIT_OF.values())
"""All units."""


def same_currency(one: str, other: str) -> bool:
    """Whether two units may mean one currency: `$` is US dollars, unless the other is another dollar."""
    if one == other:
        return True
    codes, others = _SEVERAL.get(one, frozenset({one})), _SEVERAL.get(other, frozenset({other}))
    return not codes.isdisjoint(others)
