"""Reads the CBOR of attestation documents (RFC 8949), written from the RFC and
with nothing of Hallmark's own reader, to check that one from outside.

Strict about what an encoding may be (whole, nothing behind it, no key twice,
text is UTF-8), free in which one was chosen: indefinite and longer lengths than
needed are read, so that another judge can be asked about such documents too.
Byte strings are bytes, text is str, maps are dicts, arrays are lists.
"""

DEPTH_MAX = 8        # a document needs 3
UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, OTHER = range(8)
BREAK = object()     # ends what has no length
SIMPLE = {20: False, 21: True, 22: None}


class Malformed(Exception):
    """Not CBOR, or not of the kind that documents are made of."""


class Tagged:
    def __init__(self, number, value):
        self.number, self.value = number, value


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Malformed(f"ends early, at {len(self.data)}")
        self.at += count
        return self.data[self.at - count:self.at]

    def head(self):
        """Major type and argument; None: of indefinite length."""
        major, info = divmod(self.take(1)[0], 32)
        if info < 24:
            return major, info
        if info == 31 and major in (BYTES, TEXT, ARRAY, MAP, OTHER):
            return major, None
        if info > 27:
            raise Malformed(f"additional information {info}")
        if major == OTHER:
            raise Malformed("a float or an unassigned simple value")
        return major, int.from_bytes(self.take(1 << (info - 24)), "big")

    def string(self, major, length):
        if length is not None:
            return self.take(length)
        chunks = []
        while (head := self.head()) != (OTHER, None):
            if head[0] != major or head[1] is None:
                raise Malformed("a chunk of another type")
            chunks.append(self.take(head[1]))
        return b"".join(chunks)

    def items(self, count, depth):
        """So many items, or all up to the break."""
        found = []
        while count is None or len(found) < count:
            item = self.item(depth + 1, count is None)
            if item is BREAK:
                break
            found.append(item)
        return found

    def map(self, count, depth):
        flat = self.items(None if count is None else 2 * count, depth)
        if len(flat) % 2:
            raise Malformed("a key without a value")
        pairs = {}
        for key, value in zip(flat[::2], flat[1::2]):
            if type(key) not in (int, str):
                raise Malformed("a key that is no number and no text")
            if key in pairs:
                raise Malformed(f"{key} twice")
            pairs[key] = value
        return pairs

    def other(self, value, break_allowed):
        if value is None and break_allowed:
            return BREAK
        if value not in SIMPLE:
            raise Malformed(f"a break or simple value {value}")
        return SIMPLE[value]

    def item(self, depth=0, break_allowed=False):
        if depth > DEPTH_MAX:
            raise Malformed("too deep")
        major, value = self.head()
        if major == UNSIGNED:
            return value
        if major == NEGATIVE:
            return -1 - value
        if major == BYTES:
            return self.string(major, value)
        if major == TEXT:
            try:
                return self.string(major, value).decode()
            except UnicodeDecodeError:
                raise Malformed("text that is not UTF-8") from None
        if major == ARRAY:
            return self.items(value, depth)
        if major == MAP:
            return self.map(value, depth)
        if major == TAG:
            return Tagged(value, self.item(depth + 1))
        return self.other(value, break_allowed)


def read(data):
    """The one item that these bytes are, or Malformed."""
    reader = _Reader(data)
    item = reader.item()
    if reader.at != len(data):
        raise Malformed(f"{len(data) - reader.at} bytes behind the end")
    return item
