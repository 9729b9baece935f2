"""Enough of PromQL and of Prometheus' text format to say whether what an
expression names is there: metrics, labels, and the values that it asks for.
"""

import re

_NAME = r"[a-zA-Z_]\w*"
_STRING = r'"(?:[^"\\]|\\.)*"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? [-+0-9.eEIinfNa]+$")
_LABEL = re.compile(rf"({_NAME})=({_STRING})")
_MATCHER = re.compile(rf"({_NAME})\s*(=~|!~|!=|=)\s*({_STRING})")
_SELECTOR = re.compile(rf"({_NAME})\s*\{{([^}}]*)\}}")
_GROUPING = re.compile(
    r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_DURATION = re.compile(r"\[[^\]]*\]")

# What Prometheus adds to each sample, and what it makes itself.
ADDED = {"job", "instance"}
OWN = {"up"}
WORDS = {"abs", "and", "bool", "count", "histogram_quantile", "ignoring",
         "increase", "label_values", "max", "min", "offset", "on", "or",
         "rate", "resets", "sum", "time", "unless", "vector", "by", "without"}


def scrape(text):
    """{metric: [its samples' labels]} of one GET /metrics. A family without
    samples is there with none."""
    found = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            found.setdefault(line.split()[2], [])
        elif line and not line.startswith("#"):
            name, labels = _SAMPLE.match(line).groups()
            found.setdefault(name, []).append({
                key: value[1:-1] for key, value in
                _LABEL.findall(labels or "")})
    return found


def merged(*scrapes):
    out = {}
    for each in scrapes:
        for name, samples in each.items():
            out.setdefault(name, []).extend(samples)
    return out


def _labels(samples):
    return {label for labels in samples for label in labels}


def _missing_values(metric, label, operator, text, samples):
    """Values that a matcher asks for and no sample has; one that is filled
    in by a dashboard's variable may be anything."""
    if "$" in text or operator in ("!=", "!~"):
        return []
    wanted = text.split("|") if operator == "=~" else [text]
    there = {labels.get(label) for labels in samples}
    return [f'{metric} is never {label}="{value}"' for value in wanted
            if value not in there]


def _check_selector(metric, matchers, there):
    if metric in OWN:
        return []
    wrong = []
    known = _labels(there.get(metric, [])) | ADDED
    for label, operator, text in _MATCHER.findall(matchers):
        if label not in known:
            wrong.append(f"{metric} has no label {label}")
        elif label not in ADDED:
            wrong += _missing_values(metric, label, operator, text[1:-1],
                                     there[metric])
    return wrong


def problems(expression, there, legend=""):
    """What this expression names and a scrape has not; [] if all is there."""
    wrong, known = [], {"le"} | ADDED
    for metric, matchers in _SELECTOR.findall(expression):
        wrong += _check_selector(metric, matchers, there)
    bare = _DURATION.sub("", re.sub(r"\{[^}]*\}", "", expression))
    grouped = [label.strip() for names in _GROUPING.findall(bare)
               for label in names.split(",") if label.strip()]
    bare = re.sub(_STRING, "", _GROUPING.sub("", bare))
    for name in set(re.findall(rf"(?<![\w.$]){_NAME}", bare)) - WORDS - OWN:
        if name in there:
            known |= _labels(there[name])
        else:
            wrong.append(f"there is no metric {name}")
    for label in grouped + re.findall(r"\{\{\s*(\w+)\s*\}\}", legend):
        if label not in known:
            wrong.append(f"no metric of it has a label {label}")
    return wrong
