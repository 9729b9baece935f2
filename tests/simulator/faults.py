"""The ways in which a simulated exchange can fail, by name.

A fault is of one of four kinds: it changes the numbers, it replaces the
answer (in the exchange's own words where it has some, see refusals.py), it
changes the answer's bytes, or it is done by the connection itself (see
server.py).
"""

import collections
import decimal
import email.utils
import re
import time

import refusals
from exchange import JSON_TYPE, Answer
from refusals import HTML_TYPE, TEXT_TYPE

D = decimal.Decimal
OVERSIZE_BYTES = 3 << 20
DEEP = 5000             # JSON arrays in one another
DATE_OFF_S = 300        # of wrong_date
OLD_NS = 3600 * 10**9   # of old
HTML = (b'<!DOCTYPE html><html lang="en"><head><title>Loading...</title>'
        b"</head><body><div id=app></div></body></html>")


def _page(status, title):
    body = (f"<html>\n<head><title>{status} {title}</title></head>\n<body>\n"
            f"<center><h1>{status} {title}</h1></center>\n<hr><center>nginx"
            "</center>\n</body>\n</html>\n")
    return Answer(status, body.encode(), (HTML_TYPE,))


NOT_FOUND = _page(404, "Not Found")


def _json(body):
    return Answer(200, body, (JSON_TYPE,))


# Done by the connection, not by the answer; server.py knows what.
CONNECTION = {
    "slow": "a byte a second, never finished",
    "hang": "takes the request and never answers",
    "truncated": "closes in the middle of the body",
    "reset": "resets the connection in place of an answer",
    "no_http": "answers, but not in HTTP",
    "endless_head": "headers without an end",
    "expired_cert": "shows a certificate that is past its end",
    "wrong_host": "shows a certificate for another host",
    "untrusted": "shows a certificate that it signed itself",
    "no_tls": "answers in plain text, before TLS",
    "close": "closes each connection at once, before TLS",
}

# Other numbers in a good answer.
NUMBERS = {
    "frozen": "the same answer, byte for byte, for ever",
    "absurd": "prices a thousand times too high",
    "tiny": "prices a thousand times too low",
    "lie": "prices three percent too high",
    "zero": "all prices are zero",
    "negative": "all prices are below zero",
    "old": "prices of an hour ago, where the answer tells a time",
    "wrong_symbol": "answers about another symbol",
}
FACTORS = {"absurd": D(1000), "tiny": D("0.001"), "lie": D("1.03"),
           "zero": D(0), "negative": D(-1)}

# In place of each price in a good answer.
WORDS = {
    "null": (b"null", "prices are null"),
    "nan": (b'"NaN"', "prices are not numbers"),
    "empty_price": (b'""', "prices are empty strings"),
    "overlong": (b'"' + b"8" * 300 + b'"', "prices have 300 digits"),
}

# Another answer instead, in the words of a gateway or a web server.
ANSWERS = {
    "429": ("too many requests, with Retry-After", lambda s: Answer(
        429, b"error code: 1015", (TEXT_TYPE, ("Retry-After", str(s))))),
    "429_date": ("too many requests, with a date to come back", lambda s:
                 Answer(429, b"error code: 1015",
                        (TEXT_TYPE, ("Retry-After", email.utils.formatdate(
                            time.time() + s, usegmt=True))))),
    "418": ("banned, with Retry-After", lambda s: Answer(
        418, b"I'm a teapot", (TEXT_TYPE, ("Retry-After", str(s))))),
    "451": ("not for your country",
            lambda _: _page(451, "Unavailable For Legal Reasons")),
    "403": ("a web application firewall says no",
            lambda _: _page(403, "Forbidden")),
    "401": ("wants a key", lambda _: _page(401, "Authorization Required")),
    "404": ("a path that is no more", lambda _: NOT_FOUND),
    "408": ("we were too slow", lambda _: Answer(
        408, b"Request timeout", (TEXT_TYPE,))),
    "500": ("internal error", lambda _: _page(500, "Internal Server Error")),
    "502": ("the gateway has nobody behind it",
            lambda _: _page(502, "Bad Gateway")),
    "503": ("maintenance",
            lambda _: _page(503, "Service Temporarily Unavailable")),
    "504": ("the gateway waited in vain",
            lambda _: _page(504, "Gateway Time-out")),
    "html": ("status 200 and a web page",
             lambda _: Answer(200, HTML, (HTML_TYPE,))),
    "empty": ("status 200 and nothing", lambda _: _json(b"")),
    "null_body": ("status 200 and null", lambda _: _json(b"null")),
    "deep": ("status 200 and arrays in arrays in arrays",
             lambda _: _json(b"[" * DEEP + b"]" * DEEP)),
    "oversize": ("status 200 and 3 MiB of JSON", lambda _: _json(
        b'{"filler":"' + b"x" * OVERSIZE_BYTES + b'"}')),
    "bad_json": ("status 200 and JSON that ends in the middle",
                 lambda _: _json(b'{"error":[],"result":{"XXBT')),
    "redirect": ("301 to another place", lambda _: Answer(
        301, b"", (("Location", "https://elsewhere.example/"),))),
}

# Around a good answer.
AROUND = {
    "500_good": ("a good answer, with status 500",
                 lambda good: good._replace(status=500)),
    "gzip": ("a good answer, said to be compressed",
             lambda good: good._replace(headers=(
                 *good.headers, ("Content-Encoding", "gzip")))),
    "wrong_date": ("a good answer, dated five minutes ahead",
                   lambda good: good),
}

# Those that every exchange has.
ALL = {"none": "answers as it should",
       **{name: what for name, (what, _) in ANSWERS.items()},
       "unknown_symbol": "says that it does not have the symbol",
       **NUMBERS, **{name: what for name, (_, what) in WORDS.items()},
       **{name: what for name, (what, _) in AROUND.items()}, **CONNECTION}


def of(exchange):
    """The faults that this exchange has, and what they do."""
    own = {name: refusals.MEANING[name] for name in refusals.OWN[exchange]
           if name not in ALL}
    return {**ALL, **own}


def own():
    """The faults that only some have: what they do, and who."""
    who = collections.defaultdict(list)
    for exchange, words in refusals.OWN.items():
        for name in words:
            if name not in ALL:
                who[name].append(exchange)
    return {name: f"{refusals.MEANING[name]} ({', '.join(names)})"
            for name, names in who.items()}


def change_quote(fault, quote):
    """The market's quote as this fault would have it."""
    if fault == "old":
        return quote._replace(time_ns=quote.time_ns - OLD_NS)
    factor = FACTORS.get(fault)
    if factor is None:
        return quote
    return quote._replace(last=quote.last * factor, bid=quote.bid * factor,
                          ask=quote.ask * factor)


def change_answer(fault, good, prices):
    """The good answer as this fault would have it; `prices` are the texts of
    the prices in it."""
    if fault in AROUND:
        return AROUND[fault][1](good)
    if fault not in WORDS:
        return good
    forms = {form for price in prices for form in (price, str(float(price)))}
    numbers = "|".join(re.escape(form) for form in
                       sorted(forms, key=len, reverse=True))
    found = re.compile(rf'"(?:{numbers})"|(?<![\w."])(?:{numbers})(?![\w."])'
                       .encode())
    return good._replace(body=found.sub(WORDS[fault][0], good.body))


def answer(exchange, fault, retry_after):
    """The answer that replaces the good one, or None."""
    own_words = refusals.OWN[exchange].get(fault)
    if own_words is not None:
        return own_words(retry_after)
    if fault in ANSWERS:
        return ANSWERS[fault][1](retry_after)
    return None
