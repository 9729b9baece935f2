"""What all the simulated exchanges have in common: how a request names its
markets, and how numbers are written.
"""

import collections
import decimal
import json
import time
import urllib.parse

import market

D = decimal.Decimal

# What is sent back: bytes as they are, or cut into HTTP chunks.
Answer = collections.namedtuple("Answer", "status body headers chunked",
                                defaults=((), False))
# asset: as the market calls it. echo: how the answer names the symbol.
# step: the exchange's price step. pad: decimals it always prints. currency:
# what its price is in, if that is not the exchange's own.
Symbol = collections.namedtuple("Symbol", "asset echo step pad currency",
                                defaults=(None,))
# What a request wants: one of the exchange's forms, and the symbols in it.
Ask = collections.namedtuple("Ask", "form names")
# One market in an answer. name: as a request has it.
Row = collections.namedtuple("Row", "name symbol quote")

JSON_TYPE = ("Content-Type", "application/json")
DAY_MS = 86_400_000
STEPS = {"SOL": "0.01", "USDT": "0.00001"}
DIGITS = 6          # of the prices of all others, where that is cents or less
CENT = D("0.01")
EVERY_ASSET = tuple(market.START)
# Where prices are in USDT there is none of USDT.
IN_USDT = tuple(asset for asset in EVERY_ASSET if asset != "USDT")


def step_of(asset):
    digits = D(1).scaleb(market.START[asset].adjusted() - DIGITS + 1)
    return STEPS.get(asset, f"{min(CENT, digits):f}")


def symbol_of(asset, echo, pad=None, currency=None):
    step = step_of(asset)
    return Symbol(asset, echo, step, pad or -D(step).as_tuple().exponent,
                  currency)


def listed(name, assets=EVERY_ASSET, echo=None, pad=None):
    """Symbols by name; {0} is the asset, {1} the same in lower case."""
    return {name.format(asset, asset.lower()): symbol_of(
        asset, (echo or name).format(asset, asset.lower()), pad)
        for asset in assets}


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def text(number, symbol):
    """Rounded to the exchange's step, then padded with zeros."""
    stepped = number.quantize(D(symbol.step), decimal.ROUND_HALF_UP)
    return str(stepped.quantize(D(1).scaleb(-symbol.pad)))


def printer(symbol):
    """text() for this symbol."""
    return lambda number: text(number, symbol)


def now_ms():
    return time.time_ns() // 10**6


def change(quote):
    """In the last day, as a part of what it was."""
    return (quote.last - quote.open) / quote.open


def split(target):
    """The path, and the query as a dict."""
    url = urllib.parse.urlsplit(target)
    return url.path, dict(urllib.parse.parse_qsl(url.query,
                                                 keep_blank_values=True))


class Exchange:
    """One exchange: `symbols` by the name that a request uses."""
    name = host = ""
    symbols = {}
    in_usdt = False     # its quotes are in USDT
    chunked = False
    skips_unknown = False   # has no word for them among others
    key_header = None   # the header that carries a key, where it wants one
    key = None          # the one that it takes

    def refusal(self, headers):
        """What it says to a request without its key, or None."""

    def asked(self, target):
        """The Ask of this request target, or None if the exchange has no
        such path."""
        raise NotImplementedError

    def body(self, form, rows):
        """The answer about these rows, in the order of their names."""
        raise NotImplementedError

    def unknown(self, ask):
        """What it says about a symbol that it does not have."""
        raise NotImplementedError

    def other(self, names):
        """A market other than these: what a mixed-up cache would send. The
        last one where all were asked for."""
        rest = [name for name in sorted(self.symbols) if name not in names]
        return rest[0] if rest else max(self.symbols)

    def currency(self, symbol):
        return symbol.currency or ("USDT" if self.in_usdt else "USD")

    def every(self):
        return Ask("all", tuple(self.symbols))

    def ok(self, form, rows):
        return Answer(200, self.body(form, rows), (JSON_TYPE,), self.chunked)


class OneOrAll(Exchange):
    """One symbol as a parameter of the query, or every market there is."""
    parameter = ""
    one = whole = ("", {})  # the path, and the rest of the query

    def asked(self, target):
        path, query = split(target)
        name = query.pop(self.parameter, None)
        if name is None:
            return self.every() if (path, query) == self.whole else None
        return Ask("one", (name,)) if (path, query) == self.one else None
