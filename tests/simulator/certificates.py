"""A certificate authority of the simulator's own, and the certificates that
its exchanges show: a good one, an expired one, one for another host and one
that nobody signed.

Made by the openssl command into one directory and kept there, so that a
simulator that is started again is still trusted by whoever loaded ca.pem.
`openssl ca` is used because it is the one subcommand of OpenSSL 3.0 that can
date a certificate in the past.
"""

import datetime
import pathlib
import subprocess

WRONG_HOST = "elsewhere.example"

CONFIG = """\
[ca]
default_ca = simulator
[simulator]
database = {dir}/index.txt
new_certs_dir = {dir}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
copy_extensions = copy
x509_extensions = leaf
[any]
commonName = supplied
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
"""


def _openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {args[0]} failed: {done.stderr.strip()}")


def _date(days_from_now):
    when = (datetime.datetime.now(datetime.timezone.utc)
            + datetime.timedelta(days=days_from_now))
    return when.strftime("%Y%m%d%H%M%SZ")


class Authority:
    """ca.pem and `<name>.pem` (key and certificate) in one directory."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.ca = self.dir / "ca.pem"
        self._key = self.dir / "ca-key.pem"
        self._config = self.dir / "ca.cnf"
        if not self.ca.exists():
            self._make_root()

    def _make_root(self):
        self._config.write_text(CONFIG.format(dir=self.dir))
        (self.dir / "index.txt").write_text("")
        self._make_key(self._key)
        _openssl("req", "-x509", "-key", self._key, "-days", 30, "-subj",
                 "/CN=simulated exchanges", "-out", self.dir / "ca.tmp",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        (self.dir / "ca.tmp").rename(self.ca)

    @staticmethod
    def _make_key(path):
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout",
                 "-out", path)

    def certificate(self, name, host, first_day=-1, last_day=29):
        """The path of `<name>.pem` for this host, made if absent."""
        path = self.dir / f"{name}.pem"
        if path.exists():
            return path
        key, request, leaf = (self.dir / f"{name}.{part}"
                              for part in ("key", "csr", "crt"))
        self._make_key(key)
        _openssl("req", "-new", "-key", key, "-subj", f"/CN={host}",
                 "-addext", f"subjectAltName=DNS:{host}", "-out", request)
        _openssl("ca", "-batch", "-notext", "-config", self._config,
                 "-cert", self.ca, "-keyfile", self._key, "-in", request,
                 "-startdate", _date(first_day), "-enddate", _date(last_day),
                 "-out", leaf)
        path.write_text(key.read_text() + leaf.read_text())
        return path

    def self_signed(self, name, host):
        """The path of `<name>.pem`, trusted by nobody."""
        path, key = self.dir / f"{name}.pem", self.dir / f"{name}.key"
        if not path.exists():
            self._make_key(key)
            leaf = self.dir / f"{name}.crt"
            _openssl("req", "-x509", "-key", key, "-days", 30, "-subj",
                     f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
                     "-out", leaf)
            path.write_text(key.read_text() + leaf.read_text())
        return path

    def all_for(self, name, host):
        """The certificates of one exchange, by fault ("" is good)."""
        return {
            "": self.certificate(name, host),
            "expired_cert": self.certificate(f"{name}-expired", host, -9, -2),
            "wrong_host": self.certificate(f"{name}-wrong", WRONG_HOST),
            "untrusted": self.self_signed(f"{name}-untrusted", host),
        }
