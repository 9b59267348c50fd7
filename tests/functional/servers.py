# SPDX-License-Identifier: MIT
"""Real servers for the functional tests: nginx, nghttpd, httpbin, aiohttp, squid, microsocks, todo-api, one that limits
and logs like the APIs that bulk jobs meet, and one that misbehaves on request.

Each is a context manager that ends what it started, and listens on a free port of 127.0.0.1. What they write
lies in a temporary directory that goes with them.
"""
import collections
import contextlib
import ctypes
import gzip
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 30  # seconds until a server must be up


def built(name):
    """The path of a program of this build."""
    return str(pathlib.Path(os.environ["GATHER_BUILD"]) / name)


given_ports = set()


def free_port():
    """A port that nobody listens on; none twice, since who asks for several listens only when it has all."""
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        if port not in given_ports:
            given_ports.add(port)
            return port


def on_ipv6(port, words=""):
    """nginx listens there, too, where there is IPv6: who looks up localhost may go to its first address only."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::1", port))
        return f"listen [::1]:{port} {words};"
    return ""


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


@contextlib.contextmanager
def process(argv, **options):
    """A program that runs while the block does; SIGTERM ends it, SIGKILL where that does not."""
    child = subprocess.Popen(argv, preexec_fn=die_with_parent, **options)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout:
            child.stdout.close()


def wait_for_port(port, child):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and child.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{child.args[0]} does not listen on port {port}")


@contextlib.contextmanager
def directory():
    path = pathlib.Path(tempfile.mkdtemp(prefix="gather-functional-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


class Certificates:
    """A CA, and certificates that it signed: `good` for 127.0.0.1 and localhost, `other` for another name, and
    `expired`."""

    def __init__(self, path):
        self.path = path
        self.ca = path / "ca.pem"
        self._openssl("req", "-x509", *self._key("ca"), "-out", self.ca, "-days", "2", "-subj", "/CN=functional CA",
                      "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        (path / "ca.conf").write_text(
            "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\n"
            "policy=any\ncopy_extensions=copy\nunique_subject=no\n[any]\ncommonName=supplied\n")
        (path / "index").touch()
        (path / "serial").write_text("1000")
        self.good = self._sign("good", "IP:127.0.0.1,DNS:localhost")
        self.other = self._sign("other", "DNS:other.example")
        self.expired = self._sign("expired", "IP:127.0.0.1,DNS:localhost", "-startdate", "20200101000000Z",
                                  "-enddate", "20200102000000Z")

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=self.path, check=True, capture_output=True)

    def _key(self, name):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.path / f"{name}.key"

    def _sign(self, name, names, *dates):
        """@return the paths of certificate and key"""
        certificate, request = self.path / f"{name}.pem", self.path / f"{name}.csr"
        self._openssl("req", "-new", *self._key(name), "-out", request, "-subj", f"/CN={name}",
                      "-addext", f"subjectAltName={names}")
        self._openssl("ca", "-batch", "-notext", "-config", "ca.conf", "-cert", self.ca, "-keyfile", "ca.key",
                      "-in", request, "-out", certificate, *(dates or ("-days", "2")))
        return certificate, self.path / f"{name}.key"


class Nginx:
    """nginx, with the files of a directory beside routes that say how they were reached."""

    BIG = 10 * 1000 * 1000

    def __init__(self, path, certificates):
        self.path = path
        self.ports = {name: free_port() for name in ("plain", "good", "other", "expired", "mutual", "short", "http2", "http2_tls")}
        self.url = f"http://127.0.0.1:{self.ports['plain']}"
        self.tls_url = f"https://127.0.0.1:{self.ports['good']}"
        big = random.Random(1).randbytes(self.BIG)
        self.big_sha256 = hashlib.sha256(big).hexdigest()
        (path / "files").mkdir()
        (path / "files" / "big").write_bytes(big)
        (path / "files" / "big.gz").write_bytes(gzip.compress(big, 1))
        (path / "files" / "small").write_text("small\n")
        (path / "files" / "empty").touch()
        (path / "nginx.conf").write_text(self._configuration(certificates), encoding="latin-1")

    def _configuration(self, certificates):
        routes = """
            root files;
            etag on;
            location = /connection { return 200 "$connection $connection_requests"; }
            location = /204 { return 204; }
            location = /latin1 { default_type "text/plain; charset=iso-8859-1"; return 200 "caf\u00e9"; }
            location /coded/ { alias files/; default_type text/plain; add_header Content-Encoding gzip; }
            location /gzipped/ { alias files/; gzip on; gzip_types *; gzip_min_length 1; }
            location = /redirect { return 301 /small; }
            location = /closes { keepalive_timeout 0; return 200 "closed\\n"; }
            location = /limited { limit_req zone=limited burst=5 nodelay; limit_req_status 429; try_files /small =404; }
            location = /limited_soon {
                limit_req zone=limited burst=5 nodelay;
                limit_req_status 429;
                error_page 429 @soon;
                try_files /small =404;
            }
            location @soon { add_header Retry-After 1 always; return 429; }
            location = /tls { return 200 "$ssl_protocol $ssl_session_reused $ssl_client_s_dn"; }
        """
        tls = ""
        for name in ("good", "other", "expired"):
            certificate, key = getattr(certificates, name)
            protocols = "TLSv1.2" if name == "other" else "TLSv1.2 TLSv1.3"
            tls += f"""
        server {{
            listen 127.0.0.1:{self.ports[name]} ssl;
            {on_ipv6(self.ports[name], "ssl")}
            ssl_protocols {protocols};
            ssl_certificate {certificate};
            ssl_certificate_key {key};
            {routes}
        }}
            """
        certificate, key = certificates.good
        tls += f"""
        server {{
            listen 127.0.0.1:{self.ports['mutual']} ssl;
            ssl_certificate {certificate};
            ssl_certificate_key {key};
            ssl_client_certificate {certificates.ca};
            ssl_verify_client on;
            ssl_protocols TLSv1.2 TLSv1.3;
            ssl_session_cache shared:mutual:1m;
            {routes}
        }}
        server {{
            listen 127.0.0.1:{self.ports['http2']} http2;
            listen 127.0.0.1:{self.ports['http2_tls']} ssl http2;
            ssl_protocols TLSv1.2 TLSv1.3;
            ssl_certificate {certificate};
            ssl_certificate_key {key};
            {routes}
        }}
        """
        user = "user root;" if os.geteuid() == 0 else ""
        return f"""
    {user}
    daemon off;
    worker_processes 1;
    worker_rlimit_nofile 8192;
    pid nginx.pid;
    error_log stderr crit;
    events {{ worker_connections 4096; }}
    http {{
        access_log off;
        limit_req_log_level info;
        limit_req_zone $server_port zone=limited:1m rate=100r/s;
        client_body_temp_path temp_body;
        proxy_temp_path temp_proxy;
        fastcgi_temp_path temp_fastcgi;
        uwsgi_temp_path temp_uwsgi;
        scgi_temp_path temp_scgi;
        default_type text/plain;
        keepalive_requests 100000;
        server {{
            listen 127.0.0.1:{self.ports['plain']} backlog=4096;
            {on_ipv6(self.ports['plain'])}
            {routes}
        }}
        server {{
            listen 127.0.0.1:{self.ports['short']};
            keepalive_timeout 1s;
            {routes}
        }}
        {tls}
    }}
    """

    @contextlib.contextmanager
    def running(self):
        argv = [shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "-p", str(self.path), "-e", "stderr",
                "-c", "nginx.conf"]
        with process(argv) as child:
            wait_for_port(self.ports["plain"], child)
            yield self


HTTPBIN = """
import logging
import sys
from httpbin import app
from werkzeug.serving import run_simple

logging.getLogger("werkzeug").setLevel(logging.ERROR)
port, *tls = sys.argv[1:]
run_simple("127.0.0.1", int(port), app, threaded=True, ssl_context=tuple(tls) or None)
"""


@contextlib.contextmanager
def nghttpd(path, certificate=None):
    """nghttpd with the files of a directory; it sends back what is posted. @return its URL"""
    port = free_port()
    tls = [str(certificate[1]), str(certificate[0])] if certificate else ["--no-tls"]
    with process(["nghttpd", "--echo-upload", "--htdocs", str(path), "--address=127.0.0.1", str(port), *tls],
                 stdout=subprocess.DEVNULL) as child:
        wait_for_port(port, child)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"


@contextlib.contextmanager
def httpbin(certificate=None):
    """httpbin, over TLS where a certificate and its key are given. @return its URL"""
    port = free_port()
    with process(["/usr/bin/python3", "-c", HTTPBIN, str(port), *map(str, certificate or ())],
                 stdout=subprocess.DEVNULL) as child:
        wait_for_port(port, child)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"


@contextlib.contextmanager
def aiohttp(certificate=None):
    """aiohttp_server.py, over TLS where a certificate and its key are given. @return its URL"""
    port = free_port()
    with process(["/usr/bin/python3", str(HERE / "aiohttp_server.py"), str(port), *map(str, certificate or ())],
                 stdout=subprocess.DEVNULL) as child:
        wait_for_port(port, child)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"


class Squid:
    """squid, which wants `me` with the password `secret` at `port`, and nothing at `open_port`. It makes tunnels
    to any port, and tells servers nothing of itself."""

    def __init__(self, path):
        self.path = path / "squid"
        self.path.mkdir()
        self.port, self.open_port = free_port(), free_port()
        words = self.path / "passwords"
        hashed = subprocess.run(["openssl", "passwd", "-apr1", "secret"], check=True, capture_output=True, text=True)
        words.write_text(f"me:{hashed.stdout}")
        # as root squid and its helper become another user, who must get here
        path.chmod(0o755)
        (self.path / "squid.conf").write_text(f"""
            http_port 127.0.0.1:{self.port}
            http_port 127.0.0.1:{self.open_port}
            auth_param basic program /usr/lib/squid/basic_ncsa_auth {words}
            acl open localport {self.open_port}
            acl known proxy_auth REQUIRED
            http_access allow open
            http_access allow known
            http_access deny all
            access_log none
            cache deny all
            cache_log /dev/null
            cache_store_log none
            pid_filename none
            netdb_filename none
            shutdown_lifetime 0 seconds
            coredump_dir none
            forwarded_for delete
            via on
            max_filedescriptors 1024
        """)

    @contextlib.contextmanager
    def running(self):
        argv = [shutil.which("squid", path=os.environ["PATH"] + ":/usr/sbin"), "-N", "-f",
                str(self.path / "squid.conf")]
        with process(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            wait_for_port(self.port, child)
            yield self


@contextlib.contextmanager
def socks(*options):
    """A SOCKS 5 server. @return its port"""
    port = free_port()
    with process(["microsocks", "-i", "127.0.0.1", "-p", str(port), *options], stderr=subprocess.DEVNULL) as child:
        wait_for_port(port, child)
        yield port


class TodoApi:
    """todo-api as it tells of itself: `url`, and with --tls `ca`."""

    def __init__(self, child):
        self.child = child
        self.ca = self.url = None
        while not self.url:
            line = child.stdout.readline()
            if not line:
                raise RuntimeError(f"todo-api ended, status {child.wait()}")
            key, _, value = line.rstrip("\n").rpartition(" ")
            if key == "CA file:":
                self.ca = value
            elif key == "listening on":
                self.url = value


@contextlib.contextmanager
def todo_api(*options):
    with process([built("todo-api"), *options], stdout=subprocess.PIPE, text=True) as child:
        yield TodoApi(child)


class Api:
    """api_server.py, seen from the tests: `url` is where, `set` has it forget all and behave so from now on."""

    def __init__(self, port):
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    def _ask(self, method, path, value=None):
        request = urllib.request.Request(self.url + path, json.dumps(value).encode(), method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or "null")

    def set(self, **settings):
        self._ask("PUT", "/control", settings)

    def told(self):
        """What it knows of all requests since."""
        return self._ask("GET", "/log")

    def arrived(self):
        """The requests since, in the order of arrival."""
        return [Arrival(*each) for each in self.told()["log"]]


Arrival = collections.namedtuple("Arrival", "time method host target key status")


@contextlib.contextmanager
def api(**settings):
    port = free_port()
    with process(["/usr/bin/python3", str(HERE / "api_server.py"), str(port)]) as child:
        wait_for_port(port, child)
        server = Api(port)
        server.set(**settings)
        yield server


class Misbehaving(socketserver.ThreadingTCPServer):
    """A server whose path says how it goes wrong; `url` is where."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            head = b""
            while b"\r\n\r\n" not in head:
                more = self.request.recv(65536)
                if not more:
                    return
                head += more
            path = head.split(b" ", 2)[1].decode()
            with contextlib.suppress(OSError):
                getattr(self, path[1:].replace("-", "_"))()

        def send(self, text):
            self.request.sendall(text.encode("latin-1"))

        def garbage(self):
            self.send("SSH-2.0-OpenSSH_9.2\r\n\r\n")

        def binary(self):
            self.request.sendall(bytes(range(256)) * 16)

        def closes(self):
            pass

        def resets(self):
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.request.close()

        def stops_in_head(self):
            self.send("HTTP/1.1 200 OK\r\nContent-")

        def stops_in_body(self):
            self.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.")

        def stops_in_chunk(self):
            self.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nten bytes.")

        def bad_chunk(self):
            self.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nten\r\nten bytes.\r\n0\r\n\r\n")

        def stalls(self):
            self.server.ended.wait(60)

        def stalls_in_body(self):
            self.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.")
            self.server.ended.wait(60)

        def drips(self):
            """Never silent for long, and never done in time."""
            self.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(1000):
                self.send("x")
                if self.server.ended.wait(0.05):
                    break

        def long_head(self):
            self.send("HTTP/1.1 200 OK\r\n")
            for i in range(10000):
                self.send(f"X-{i}: {'x' * 1000}\r\n")

        def two_lengths(self):
            self.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nbody")

        def loops(self):
            self.send("HTTP/1.1 302 Found\r\nLocation: /loops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        def to_ftp(self):
            self.send("HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/\r\nContent-Length: 0\r\n"
                      "Connection: close\r\n\r\n")

        def until_close(self):
            self.send("HTTP/1.0 200 OK\r\n\r\nuntil the end")

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.ended = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        """A client that goes away is what some tests are about."""

    @contextlib.contextmanager
    def running(self):
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            self.shutdown()
            thread.join()
            self.server_close()
