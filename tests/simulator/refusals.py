"""The exchanges' own words for "no": by exchange and by fault, the status, the
headers and the body that its documentation (see each exchange's module) and
its users tell of. What is not here is said in the words of a gateway, which
are alike for all: see faults.py.

A fault with the name of a status (429, 503 ...) is that status. The others
are the exchange's own: what it says with status 200, where everybody else
has a status for it, or with a status that usually means something else.
"""

import json

from exchange import JSON_TYPE, Answer

HTML_TYPE = ("Content-Type", "text/html")
TEXT_TYPE = ("Content-Type", "text/plain; charset=UTF-8")

CLOUDFRONT = """\
<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">
<HTML><HEAD><TITLE>ERROR: The request could not be satisfied</TITLE></HEAD>
<BODY><H1>403 ERROR</H1><H2>The request could not be satisfied.</H2>
The Amazon CloudFront distribution is configured to block access from your
country.</BODY></HTML>
"""
IMPERVA = """\
<html><head><META NAME="robots" CONTENT="noindex,nofollow"></head><body>
<iframe id="main-iframe" src="/_Incapsula_Resource">Request unsuccessful.
Incapsula incident ID: 0-0</iframe></body></html>
"""


def _json(status, value, *headers):
    return Answer(status, json.dumps(value).encode(), (JSON_TYPE, *headers))


def _text(status, text, kind=TEXT_TYPE):
    return Answer(status, text.encode(), (kind,))


def _coded(status, code, msg, *headers):
    """{"code","msg"}, as Binance, OKX, KuCoin and MEXC have it."""
    return _json(status, {"code": code, "msg": msg}, *headers)


def _after(seconds):
    return "Retry-After", str(seconds)


def _kraken(status, *words):
    return _json(status, {"error": list(words)})


def _bybit(code, text):
    return _json(200, {"retCode": code, "retMsg": text, "result": {},
                       "retExtInfo": {}, "time": 1795000000000})


def _htx(code, text):
    return Answer(200, json.dumps({
        "status": "error", "err-code": code, "err-msg": text,
        "data": None}).encode())


def _gemini(status, reason, message):
    return _json(status, {"result": "error", "reason": reason,
                          "message": message})


def _gate(status, label, message):
    return _json(status, {"label": label, "message": message})


def _bitget(status, code, msg):
    return _json(status, {"code": code, "msg": msg, "data": None,
                          "requestTime": 1795000000000})


def _crypto(status, code, message):
    return _json(status, {"id": -1, "method": "public/get-tickers",
                          "code": code, "message": message})


def _market_cap(status, code, message):
    return _json(status, {"status": {
        "timestamp": "2026-11-22T01:00:00.000Z", "error_code": code,
        "error_message": message, "elapsed": 0, "credit_count": 0}})


# Each takes the seconds of Retry-After.
BINANCE = {
    "429": lambda s: _coded(
        429, -1003, "Too much request weight used; current limit is 6000 "
        "request weight per 1 MINUTE.", _after(s)),
    "418": lambda s: _coded(
        418, -1003, "Way too much request weight used; IP banned until "
        "1795000000000.", _after(s)),
    "451": lambda _: _coded(
        451, 0, "Service unavailable from a restricted location according "
        "to 'b. Eligibility'."),
    "500": lambda _: _coded(
        500, -1001, "Internal error; unable to process your request."),
    "503": lambda _: _coded(
        503, -1008, "Server is currently overloaded with other requests."),
}

OWN = {
    "binance": BINANCE,
    "binance_us": {**BINANCE,
                   "403": lambda _: _text(403, CLOUDFRONT, HTML_TYPE)},
    "coinbase_exchange": {
        "429": lambda _: _json(429, {"message":
                                     "Public rate limit exceeded"}),
        "403": lambda _: _json(403, {"message": "Forbidden"}),
        "500": lambda _: _json(500, {"message": "Internal server error"}),
        "503": lambda _: _json(503, {"message": "Service unavailable"}),
        "delisted": lambda _: _json(400, {
            "message": "Not allowed for delisted products"}),
    },
    "kraken": {
        "503": lambda _: _kraken(503, "EService:Unavailable"),
        "limit_200": lambda _: _kraken(200, "EGeneral:Too many requests"),
        "api_limit_200": lambda _: _kraken(200, "EAPI:Rate limit exceeded"),
        "lockout_200": lambda _: _kraken(200, "EGeneral:Temporary lockout"),
        "busy_200": lambda _: _kraken(200, "EService:Busy"),
        "bad_request_200": lambda _: _kraken(
            200, "EGeneral:Invalid arguments"),
        "internal_200": lambda _: _kraken(200, "EGeneral:Internal error"),
    },
    "bitstamp": {
        "429": lambda _: _json(429, {
            "status": "error", "response_code": "400.002",
            "response_explanation": "Request rate limit exceeded."}),
        "limit_400": lambda _: _json(400, {
            "status": "error", "response_code": "400.002",
            "response_explanation": "Request rate limit exceeded."}),
        "403": lambda _: _text(403, IMPERVA, HTML_TYPE),
    },
    "gemini": {
        "429": lambda _: _gemini(
            429, "RateLimit", "Requests were made too frequently."),
        "500": lambda _: _gemini(
            500, "System", "We are experiencing technical issues."),
        "503": lambda _: _gemini(
            503, "Maintenance", "The system is down for maintenance."),
        "maintenance_500": lambda _: _gemini(
            500, "Maintenance", "The system is down for maintenance."),
        "limit_400": lambda _: _gemini(
            400, "RateLimit", "Requests were made too frequently."),
    },
    "bitfinex": {
        "429": lambda _: _json(429, ["error", 11010, "ratelimit: error"]),
        "limit_400": lambda _: _json(400, {"error": "ERR_RATE_LIMIT"}),
        "500": lambda _: _json(500, ["error", 10000, "unknown: error"]),
        "503": lambda _: _json(503, {
            "code": 503, "error": "temporarily_unavailable",
            "error_description": "Sorry, the service is temporarily "
                                 "unavailable."}),
        "maintenance_500": lambda _: _json(
            500, ["error", 20060, "maintenance"]),
    },
    "cryptocom": {
        "429": lambda _: _crypto(429, 42901, "RATE_LIMIT"),
        "500": lambda _: _crypto(500, 50001, "ERR_INTERNAL"),
        "503": lambda _: _json(503, {
            "code": 9010001, "message": "SYSTEM_MAINTENANCE",
            "details": "Crypto.com Exchange is currently under "
                       "maintenance."}),
        "limit_200": lambda _: _crypto(200, 10006, "TOO_MANY_REQUESTS"),
        "timeout_400": lambda _: _crypto(400, 40801, "REQUEST_TIMEOUT"),
    },
    "okx": {
        "429": lambda _: _coded(429, "50011", "Too Many Requests"),
        "503": lambda _: _coded(
            503, "50001", "Service temporarily unavailable. Try again later"),
        "limit_200": lambda _: _json(200, {
            "code": "50011", "msg": "Rate limit reached.", "data": []}),
        "busy_200": lambda _: _json(200, {
            "code": "50013", "msg": "Systems are busy. Please try again "
            "later.", "data": []}),
        "maintenance_200": lambda _: _json(200, {
            "code": "50001", "msg": "Service temporarily unavailable. Try "
            "again later", "data": []}),
        "geo_200": lambda _: _json(200, {
            "code": "50051", "msg": "Due to local laws and regulations our "
            "services are not available in your country.", "data": []}),
    },
    "bybit": {
        "403": lambda _: _text(403, "{access too frequent.}"),
        "geo_403": lambda _: _text(403, CLOUDFRONT, HTML_TYPE),
        "limit_200": lambda _: _bybit(10006, "Too many visits!"),
        "busy_200": lambda _: _bybit(
            10016, "Internal system error. Server error."),
        "geo_200": lambda _: _bybit(
            10024, "The product or service you are seeking to access is not "
            "available to you due to regulatory restrictions."),
        "timeout_200": lambda _: _bybit(10000, "Server Timeout"),
    },
    "kucoin": {
        "429": lambda _: _coded(429, "429000", "Too Many Requests"),
        "limit_200": lambda _: _coded(200, "429000", "Too Many Requests"),
        "pool_limit_200": lambda _: _coded(
            200, "200002", "Too many requests in a short period of time"),
        "500": lambda _: _coded(500, "500000", "Internal Server Error"),
        "geo_200": lambda _: _coded(
            200, "400302", "Our services are currently unavailable in the "
            "U.S."),
        "null_200": lambda _: _json(200, {"code": "200000", "data": None}),
    },
    "gate": {
        "429": lambda _: _gate(429, "TOO_MANY_REQUESTS",
                               "Request Rate limit Exceeded"),
        "limit_400": lambda _: _gate(400, "TOO_FAST", "Too fast"),
        "500": lambda _: _gate(500, "SERVER_ERROR", "Internal server error"),
        "503": lambda _: _gate(503, "TOO_BUSY", "System is too busy"),
    },
    "bitget": {
        "429": lambda _: _bitget(429, "429", "Too Many Requests"),
        "limit_200": lambda _: _bitget(200, "30007", "request over limit"),
        "upgrade_400": lambda _: _bitget(
            400, "40200", "Server upgrade, please try again later"),
        "internal_200": lambda _: _bitget(200, "40015", "System is abnormal, "
                                          "please try again later"),
    },
    "htx": {
        "limit_200": lambda _: _htx("rate-too-many-requests",
                                    "exceeded rate limit"),
        "maintenance_200": lambda _: _htx("system-maintenance",
                                          "System is in maintenance!"),
        "internal_200": lambda _: _htx(
            "gateway-internal-error", "Failed to load data. Try again "
            "later."),
    },
    "mexc": {
        "429": lambda _: _coded(429, 429, "Too Many Requests"),
        "403": lambda _: _coded(403, 403, "Access Denied"),
        "500": lambda _: _coded(500, 500, "Internal error"),
        "503": lambda _: _coded(503, 503, "Service not available, please try "
                                "again"),
        "limit_200": lambda _: _json(200, {
            "success": False, "code": 510, "message": "Requests are too "
            "frequent, please try again later"}),
    },
    "coingecko": {
        "429": lambda s: _json(429, {"status": {
            "error_code": 429, "error_message": "You've exceeded the Rate "
            "Limit."}}, _after(s)),
        "limit_200": lambda _: _json(200, {"status": {
            "error_code": 429, "error_message": "You've exceeded the Rate "
            "Limit."}}),
    },
    "coinmarketcap": {
        "401": lambda _: _market_cap(401, 1001, "This API Key is invalid."),
        "429": lambda _: _market_cap(
            429, 1008, "You've exceeded your API Key's HTTP request rate "
            "limit. Rate limits reset every minute."),
        "500": lambda _: _market_cap(
            500, 500, "An internal server error occurred"),
        "limit_200": lambda _: _market_cap(
            200, 1010, "You've exceeded your API Key's monthly rate limit."),
        "unpaid_402": lambda _: _market_cap(
            402, 1004, "Your API Key's subscription plan has expired."),
    },
}

# What the names mean that are not a status.
MEANING = {
    "limit_200": "status 200, and in it that we ask too often",
    "limit_400": "status 400, and in it that we ask too often",
    "api_limit_200": "the same, of the whole API",
    "pool_limit_200": "the same, of the pool of all public requests",
    "lockout_200": "status 200, and in it a temporary lockout",
    "busy_200": "status 200, and in it that it is overloaded",
    "internal_200": "status 200, and in it an internal error",
    "bad_request_200": "status 200, and in it that the request is wrong",
    "maintenance_200": "status 200, and in it maintenance",
    "maintenance_500": "status 500, and in it maintenance",
    "upgrade_400": "status 400, and in it that the server is upgraded",
    "timeout_200": "status 200, and in it a timeout behind the gateway",
    "timeout_400": "status 400, and in it a timeout behind the gateway",
    "geo_200": "status 200, and in it: not in your country",
    "geo_403": "403 of CloudFront: not in your country",
    "null_200": "status 200, success, and no data",
    "unpaid_402": "402: the key is good and its plan is not",
    "delisted": "says that the market is no more",
}
