# SPDX-License-Identifier: MIT
"""Runs a test program beside the servers that it needs, and tells it by the environment where they are.

usage: run.py SERVER... PROGRAM, where SERVER is nginx, nghttpd, httpbin, aiohttp, squid, socks, todo-api or misbehaving
"""
import contextlib
import os
import subprocess
import sys

import servers


def start(name, stack, path, certificates):
    """Starts a server until the stack is left. @return what the program is told of it"""
    if name == "nginx":
        nginx = stack.enter_context(servers.Nginx(path, certificates).running())
        ports = {f"NGINX_{key.upper()}": str(port) for key, port in nginx.ports.items()}
        ports |= {"NGINX_HTTP2": f"http://127.0.0.1:{nginx.ports['http2']}",
                  "NGINX_HTTP2_TLS": f"https://127.0.0.1:{nginx.ports['http2_tls']}"}
        certificate, key = map(str, certificates.good)
        return {"NGINX": nginx.url, "NGINX_TLS": nginx.tls_url, "BIG_SHA256": nginx.big_sha256,
                "CLIENT_CERTIFICATE": certificate, "CLIENT_KEY": key, **ports}
    if name == "nghttpd":
        (path / "nghttpd").mkdir()
        (path / "nghttpd" / "small").write_text("small\n")
        (path / "nghttpd" / "big").write_bytes(bytes(10 * 1000 * 1000))
        return {"NGHTTPD": stack.enter_context(servers.nghttpd(path / "nghttpd")),
                "NGHTTPD_TLS": stack.enter_context(servers.nghttpd(path / "nghttpd", certificates.good))}
    if name == "httpbin":
        return {"HTTPBIN": stack.enter_context(servers.httpbin()),
                "HTTPBIN_TLS": stack.enter_context(servers.httpbin(certificates.good))}
    if name == "aiohttp":
        return {"AIOHTTP": stack.enter_context(servers.aiohttp()),
                "AIOHTTP_TLS": stack.enter_context(servers.aiohttp(certificates.good))}
    if name == "todo-api":
        plain, tls = (stack.enter_context(servers.todo_api(*options)) for options in ((), ("--tls",)))
        return {"TODO": plain.url, "TODO_TLS": tls.url, "TODO_CA": tls.ca}
    if name == "squid":
        squid = stack.enter_context(servers.Squid(path).running())
        return {"SQUID_PORT": str(squid.port), "SQUID_OPEN_PORT": str(squid.open_port)}
    if name == "socks":
        ports = [stack.enter_context(servers.socks(*options)) for options in ((), ("-u", "me", "-P", "secret"))]
        return {"SOCKS_OPEN_PORT": str(ports[0]), "SOCKS_PORT": str(ports[1])}
    if name == "misbehaving":
        return {"MISBEHAVING": stack.enter_context(servers.Misbehaving().running()).url}
    raise SystemExit(f"run.py: there is no server {name}")


def main(names, program):
    with contextlib.ExitStack() as stack:
        path = stack.enter_context(servers.directory())
        certificates = servers.Certificates(path)
        environment = {**os.environ, "CA_FILE": str(certificates.ca), "DEAD_PORT": str(servers.free_port())}
        for name in names:
            environment |= start(name, stack, path, certificates)
        return subprocess.run([program], env=environment).returncode


if __name__ == "__main__":
    code = main(sys.argv[1:-1], sys.argv[-1])
    sys.exit(code if code >= 0 else 128 - code)
