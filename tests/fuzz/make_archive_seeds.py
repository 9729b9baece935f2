#!/usr/bin/env python3
"""Writes the seeds of fuzz_archive_db into tests/fuzz/corpus/archive_db: small
database files with the tables that verifier/archive/archive_schema.h says.
To be run again when the newest version changes: a file with other tables is refused
before anything in it is read. Most seeds are of version 1, which does not."""

import hashlib
import pathlib
import re
import sqlite3

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = ROOT / "tests" / "fuzz" / "corpus" / "archive_db"
SCHEMA = (ROOT / "verifier" / "archive" / "archive_schema.h").read_text()
PAGE = 512
INTERIOR = 5  # sqlite.org/fileformat.html, 1.6: a table's interior page
DOCUMENT = b"document"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def macro(name):
    text = re.search(rf"#define {name}\s*\\\n((?:.*\\\n)*.*\n)", SCHEMA)[1]
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))


def fill(db, version, rows):
    digest = sha256(DOCUMENT)
    db.execute("INSERT INTO attestations VALUES(?,?,'simulated','key',1)",
               (digest, DOCUMENT))
    for i in range(rows):
        content = '{"format":"hallmark/1","n":%d}' % i
        db.execute("INSERT INTO items VALUES('BTC-USD','01',?,?,?,?,5,6,?,?,0)",
                   (i, content, b"sig", digest, 10 + i,
                    sha256(content.encode())))
    db.execute("INSERT INTO heads VALUES('BTC-USD','01',2,5,'aa')")
    if version == 1:
        return
    db.execute("INSERT INTO tree_heads VALUES('01',3,?,x'01',?,7,8,'bb')",
               ('{"format":"hallmark-head/1"}', digest))
    for body, received_ms in ((b"answer", 9), (b"later", 99)):
        db.execute("INSERT INTO raw VALUES(?,?,?)",
                   (sha256(body), body, received_ms))
    if version == 2:
        return
    for who in (b"peer", b"other peer"):
        db.execute("INSERT INTO attestations VALUES(?,?,'simulated','key',1)",
                   (sha256(who), who))
        db.execute("INSERT INTO cosignatures VALUES('BTC-USD','01',1,?,?,?)",
                   (sha256(who), '{"format":"hallmark-cosign/1"}', b"sig"))


def make(name, version=1, rows=3, more=""):
    path = SEEDS / name
    path.unlink(missing_ok=True)
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA page_size={PAGE}")
    db.executescript(macro("ARCHIVE_SCHEMA_CREATE"))
    if version >= 2:
        db.executescript(macro("ARCHIVE_SCHEMA_UPGRADE_1"))
    if version >= 3:
        db.executescript(macro("ARCHIVE_SCHEMA_UPGRADE_2"))
    fill(db, version, rows)
    db.executescript(more)
    db.commit()
    db.close()
    return path


def close_circle(path):
    """All children of an interior page are the last one, the first is the
    page itself."""
    data = bytearray(path.read_bytes())
    for at in range(PAGE, len(data), PAGE):
        if data[at] != INTERIOR:
            continue
        for i in range(int.from_bytes(data[at + 3:at + 5], "big")):
            cell = at + int.from_bytes(
                data[at + 12 + 2 * i:at + 14 + 2 * i], "big")
            data[cell:cell + 4] = data[at + 8:at + 12] if i else (
                at // PAGE + 1).to_bytes(4, "big")
    path.write_bytes(data)


def main():
    SEEDS.mkdir(exist_ok=True)
    make("made-here-v1")
    whole = make("made-here-v2", version=2).read_bytes()
    make("made-here-v3", version=3)
    make("made-here-empty", rows=0)
    make("hostile-cosigned", version=3, more=
         "UPDATE cosignatures SET content=x'00' WHERE rowid=1;"
         "UPDATE cosignatures SET attestation_sha256=sequence WHERE rowid=2;"
         "INSERT INTO cosignatures SELECT 'BTC-USD','01',2,document,'c',"
         "document FROM attestations")
    make("hostile-view", more="CREATE VIEW v AS SELECT 1")
    make("hostile-trigger", more="CREATE TRIGGER t AFTER INSERT ON items "
                                 "BEGIN SELECT 1; END")
    make("hostile-types", more="UPDATE items SET content=x'00' WHERE rowid=1;"
         "UPDATE items SET sequence='x' WHERE rowid=2;"
         "UPDATE attestations SET document=x''")
    close_circle(make("hostile-circle", rows=12))
    (SEEDS / "hostile-cut").write_bytes(whole[:5000])


if __name__ == "__main__":
    main()
