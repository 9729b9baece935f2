"""The ways in which a simulated exchange can fail, by name.

A fault is of one of three kinds: it changes the numbers, it replaces the
answer, or it is done by the connection itself (see server.py). Each function
takes the good answer's ingredients and gives what goes onto the wire.
"""

import decimal

from exchange import JSON_TYPE, Answer

OVERSIZE_BYTES = 3 << 20
HTML_TYPE = ("Content-Type", "text/html; charset=UTF-8")
HTML = (b'<!DOCTYPE html><html lang="en"><head><title>Loading...</title>'
        b"</head><body><div id=app></div></body></html>")
TOO_MANY = (b'{"code":-1003,"msg":"Too much request weight used; current '
            b'limit is 6000 request weight per 1 MINUTE."}')
BANNED = (b'{"code":-1003,"msg":"Way too much request weight used; IP banned '
          b'until %d."}')
RESTRICTED = (b'{"code":0,"msg":"Service unavailable from a restricted '
              b'location according to \'b. Eligibility\'."}')


def _page(status, title):
    body = (f"<html>\n<head><title>{status} {title}</title></head>\n<body>\n"
            f"<center><h1>{status} {title}</h1></center>\n<hr><center>nginx"
            "</center>\n</body>\n</html>\n")
    return Answer(status, body.encode(), (HTML_TYPE,))


NOT_FOUND = _page(404, "Not Found")

# Done by the connection, not by the answer; server.py knows what.
CONNECTION = {
    "slow": "a byte a second, never finished",
    "hang": "takes the request and never answers",
    "truncated": "closes in the middle of the body",
    "expired_cert": "shows a certificate that is past its end",
    "wrong_host": "shows a certificate for another host",
    "close": "closes each connection at once, before TLS",
}

# Other numbers in a good answer.
NUMBERS = {
    "frozen": "the same answer, byte for byte, for ever",
    "absurd": "prices a thousand times too high",
    "zero": "all prices are zero",
    "wrong_symbol": "answers about another symbol",
}

# Another answer instead.
ANSWERS = {
    "429": ("too many requests, with Retry-After", lambda retry_after:
            Answer(429, TOO_MANY,
                   (JSON_TYPE, ("Retry-After", str(retry_after))))),
    "418": ("banned, with Retry-After", lambda retry_after:
            Answer(418, BANNED % 1795000000000,
                   (JSON_TYPE, ("Retry-After", str(retry_after))))),
    "451": ("not for your country", lambda _: Answer(
        451, RESTRICTED, (JSON_TYPE,))),
    "403": ("a web application firewall says no",
            lambda _: _page(403, "Forbidden")),
    "500": ("internal error", lambda _: _page(500, "Internal Server Error")),
    "503": ("maintenance",
            lambda _: _page(503, "Service Temporarily Unavailable")),
    "html": ("status 200 and a web page",
             lambda _: Answer(200, HTML, (HTML_TYPE,))),
    "oversize": ("status 200 and 3 MiB of JSON", lambda _: Answer(
        200, b'{"filler":"' + b"x" * OVERSIZE_BYTES + b'"}', (JSON_TYPE,))),
    "bad_json": ("status 200 and JSON that ends in the middle",
                 lambda _: Answer(200, b'{"error":[],"result":{"XXBT',
                                  (JSON_TYPE,))),
    "redirect": ("301 to another place", lambda _: Answer(
        301, b"", (("Location", "https://elsewhere.example/"),))),
}

ALL = {"none": "answers as it should",
       **{name: what for name, (what, _) in ANSWERS.items()},
       "unknown_symbol": "says that it does not have the symbol",
       **NUMBERS, **CONNECTION}


def change_quote(fault, quote):
    """The market's quote as this fault would have it."""
    factor = {"absurd": 1000, "zero": 0}.get(fault)
    if factor is None:
        return quote
    return quote._replace(last=quote.last * factor, bid=quote.bid * factor,
                          ask=quote.ask * decimal.Decimal(factor))


def answer(fault, retry_after):
    """The answer that replaces the good one, or None."""
    if fault not in ANSWERS:
        return None
    return ANSWERS[fault][1](retry_after)
