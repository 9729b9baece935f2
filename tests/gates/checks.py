#!/usr/bin/env python3
"""Each refusal stands behind a named check (feeds/check.h).

Usage: checks.py FILE.c ...; prints what it finds; exit 1 if there is any.

A refusal is a `return` of -1, false or a verdict other than HM_VALID and
HM_NO_MEMORY, or such a verdict or `wrong = true` set under an if. The if
directly around it, or the condition of its ?:, is taken apart at ||; each
part must

  - contain REQUIRE() or REFUSE(),
  - or only pass on what a function of these files refused,
  - or be for want of memory,
  - or have a comment that begins with "unnamed:" and says why.

The same holds for each part, taken apart at &&, of what a bool function
returns.

A function that names nothing itself and is called only inside of checks, or
by such functions, belongs to them. Names are unique. What it cannot see: a
refusal that is neither of these statements (return NULL, goto).
"""
import re
import sys

TOKEN = re.compile(r'''
    (?P<comment>/\*.*?\*/) | (?P<macro>^[ \t]*\#(?:\\\n|[^\n])*) |
    (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*') | (?P<word>\w+) |
    (?P<sign>\|\||&&|==|!=|->|\S)''', re.X | re.S | re.M)
REFUSAL = re.compile(r'\b(?:false|HM_(?!VALID\b|NO_MEMORY\b)(?:%s))\b|(?:return|[?:]) - 1\b|wrong = true|return fail \(')
NAMED = re.compile(r'\b(?:REQUIRE|REFUSE) \(')
MEMORY = re.compile(r'(?:malloc|calloc|realloc|strdup|EVP_Digest) \(')
CONTROL = ('if', 'for', 'while', 'switch')


class Source:
    def __init__(self, path):
        self.path = path
        self.words, self.lines, self.unnamed = [], [], set()
        text = open(path).read()
        for m in TOKEN.finditer(text):
            line = text.count('\n', 0, m.start()) + 1
            if m['comment']:
                if m['comment'].startswith('/* unnamed:'):
                    self.unnamed.add(text.count('\n', 0, m.end()) + 1)
            elif not m['macro']:
                self.words.append(m[0])
                self.lines.append(line)

    def close(self, i):
        """The index behind what closes the bracket at i."""
        depth = 0
        while True:
            depth += self.words[i] in '([{'
            depth -= self.words[i] in ')]}'
            i += 1
            if depth == 0:
                return i

    def functions(self):
        """(name, the words before it, first and last index of the body)"""
        i = start = 0
        while i < len(self.words):
            if self.words[i] in '([{':
                end = self.close(i)
                if self.words[i] == '{' and self.words[i - 1] == ')':
                    head = next(j for j in range(start, i) if
                                self.words[j] == '(' and self.close(j) == i)
                    kind = self.words[start:head]
                    yield kind[-1], kind[:-1], i, end
                    start = end
                i = end
                continue
            if self.words[i] == ';':
                start = i + 1
            i += 1

    def statements(self, i, end, guard):
        """(first, last, guard) of the simple statements in i..end; the guard
        is the (first, last) of the nearest if's condition, or None."""
        while i < end:
            i = yield from self.statement(i, guard)

    def statement(self, i, guard):
        word = self.words[i]
        if word == '{':
            end = self.close(i)
            yield from self.statements(i + 1, end - 1, guard)
            return end
        if word in CONTROL:
            end = self.close(i + 1)
            inner = (i + 1, end) if word == 'if' else None
            return (yield from self.statement(end, inner))
        if word in ('else', 'do'):
            return (yield from self.statement(i + 1, guard))
        end = i
        while self.words[end] not in (';', ':') or '?' in self.words[i:end]:
            if self.words[end] in '([{':
                end = self.close(end)
            elif self.words[end] == ';':
                break
            else:
                end += 1
        yield i, end, guard
        return end + 1

    def parts(self, first, last, sign='||'):
        """The operands of sign between two indexes, outer brackets off."""
        if self.words[first] == '(' and self.close(first) == last:
            first, last = first + 1, last - 1
        i = begin = first
        while i < last:
            if self.words[i] == sign:
                yield begin, i
                begin = i + 1
            i = self.close(i) if self.words[i] in '([{' else i + 1
        yield begin, last

    def text(self, first, last):
        return ' '.join(self.words[first:last])


def calls(s, first, last):
    """(name, is it inside of a check) of what stands before a bracket."""
    end = first
    for i in range(first, last - 1):
        if s.words[i] in ('REQUIRE', 'REFUSE'):
            end = max(end, s.close(i + 1))
        elif s.words[i + 1] == '(':
            yield s.words[i], i < end


def predicates(sources):
    """The functions that belong to the checks that call them."""
    names_none, callers = set(), {}
    for s in sources:
        statics = {f[0] for f in s.functions() if 'static' in f[1]}
        for name, _, first, last in s.functions():
            me = (s.path if name in statics else '', name)
            if not NAMED.search(s.text(first, last)):
                names_none.add(me)
            for called, checked in calls(s, first, last):
                it = (s.path if called in statics else '', called)
                callers.setdefault(it, set()).add(None if checked else me)
    belong = {f for f in names_none if f in callers}
    while True:
        left = {f for f in belong if callers[f] <= belong | {None}}
        if left == belong:
            return belong
        belong = left


def good(s, first, last, body, own, lines):
    """Is this part of a condition named, passed on, or explained? What a
    variable was set to in the same function counts as its own words."""
    text = s.text(first, last)
    if any(lines[0] - 1 <= line <= lines[1] for line in s.unnamed):
        return True
    if text.endswith('-> wrong'):
        return True
    texts = [re.sub(r'^! ', '', text)]
    value = re.match(r'(?:! )?((?:\* )?\w+(?: (?:->|\.) \w+| \[ .*? \])*)'
                     r'(?: (?:==|!=|<) .*)?$', text)
    if value:
        texts += re.findall(r'(?<!\S)%s = ([^;]*) ;' % re.escape(value[1]),
                            body)
    return any(NAMED.search(text) or MEMORY.match(text) or
               re.match(r'\w+ (?:\[ .*? \] )?(?:->|\.) \w+ \(', text) or
               text.split(' (')[0] in own for text in texts)


def condition(s, first, question):
    """Where the condition of the ?: begins."""
    depth = 0
    for i in range(question - 1, first - 1, -1):
        depth += s.words[i] in ')]}'
        depth -= s.words[i] in '([{'
        if depth < 0 or depth == 0 and s.words[i] in (',', 'return', '='):
            return i + 1
    return first


def judge(s, first, last, guard, body, own, refusal, is_bool):
    words = s.words[first:last]
    text = s.text(first, last)
    is_return = words[:1] == ['return']
    if is_bool and is_return and '?' not in words and len(words) > 2:
        lines = s.lines[first], s.lines[last]
        return all(good(s, *part, body, own, lines) for part in
                   s.parts(first + 1, last, '&&'))
    if not refusal.search(text) or NAMED.search(text):
        return True
    if not is_return and not (guard and re.search(r'= (HM_|true)', text)):
        return True
    if '?' in words:
        question = first + words.index('?')
        lines = s.lines[first], s.lines[last]
        if all(good(s, *part, body, own, lines) for part in
               s.parts(condition(s, first, question), question)):
            return True
    lines = s.lines[(guard or (first,))[0]], s.lines[last]
    if guard is None:
        return good(s, first, last, body, (), lines)
    return all(good(s, *part, body, own, lines) for part in s.parts(*guard))


def main(paths):
    sources = [Source(path) for path in paths]
    header = open('verifier/hallmark_verdict.h').read()
    refusal = re.compile(
        REFUSAL.pattern % '|'.join(re.findall(r'X\((\w+), "', header)))
    own = {f[0] for s in sources for f in s.functions()}
    belongs = predicates(sources)
    found, names = [], {}
    for s in sources:
        for i, word in enumerate(s.words):
            if word in ('REQUIRE', 'REFUSE'):
                name = s.words[i + 2]
                where = names.setdefault(name, (s.path, s.lines[i]))
                if where != (s.path, s.lines[i]):
                    found.append('%s:%d: %s is the name of %s:%d' % (
                        s.path, s.lines[i], name, *where))
        for name, kind, first, last in s.functions():
            if (s.path if 'static' in kind else '', name) in belongs:
                continue
            body = s.text(first, last)
            is_bool = kind[-1:] == ['bool']
            for a, b, guard in s.statements(first + 1, last - 1, None):
                if not judge(s, a, b, guard, body, own, refusal, is_bool):
                    found.append('%s:%d: %s(): no name for: %s' % (
                        s.path, s.lines[a], name, s.text(a, b)))
    if found:
        print('\n'.join(found))
    return 1 if found or not names else 0


sys.exit(main(sys.argv[1:]))
