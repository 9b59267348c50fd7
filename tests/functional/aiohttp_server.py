# SPDX-License-Identifier: MIT
"""A server on Debian's aiohttp, for what a client does over time: event streams that break, bodies that arrive flush by
flush, challenges, uploads, and connections that end while the next request is on its way.

usage: aiohttp_server.py PORT [CERTIFICATE KEY]
"""
import asyncio
import hashlib
import re
import ssl
import sys
import zlib

from aiohttp import web

routes = web.RouteTableDef()
USER, PASSWORD, REALM = "me", "p:w \u00fc", "quotes \\\" and all"
LAST_EVENT = 12


@routes.get("/events")
async def events(request):
    """Goes on after Last-Event-ID: three events, and then the stream ends, in turns cleanly and in the middle of an
    event; 204 when all have been sent."""
    last = int(request.headers.get("Last-Event-ID", 0))
    if last >= LAST_EVENT:
        return web.Response(status=204)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    await response.write(b"\xef\xbb\xbfretry: 10\n: a comment\n\n")
    for number in range(last + 1, last + 4):
        event = f"id: {number}\r\nevent: count\r\ndata: {number}\r\ndata: of {LAST_EVENT} \u00fc\r\n\r\n".encode()
        for at in range(0, len(event), 7):
            await response.write(event[at:at + 7])
            await asyncio.sleep(0)
    if last % 2:
        await response.write(b"id: 99\ndata: torn")
        await asyncio.sleep(0.02)
        request.transport.abort()
    return response


@routes.get("/chunks")
async def chunks(request):
    """Ten thousand bytes in chunks of all sizes, and trailers after them."""
    response = web.StreamResponse(headers={"Trailer": "X-Sum", "Content-Type": "application/octet-stream"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    body, size = bytes(i * 31 % 256 for i in range(10000)), 1
    while body:
        await response.write(body[:size])
        body, size = body[size:], size * 2 % 997 + 1
    # aiohttp writes no trailers, so what ends the body is written here, and aiohttp told that it has been
    request.transport.write(b"0\r\nX-Sum: 1\r\nContent-Length: 3\r\nSet-Cookie: trailer=1\r\n\r\n")
    response._payload_writer._eof = True
    return response


@routes.get("/flushes")
async def flushes(request):
    """Three lines, compressed; each is flushed, and the next sent only when /flushes/read says that it was read."""
    read = request.app["read"]
    read.clear()
    packer = zlib.compressobj(wbits=31)
    response = web.StreamResponse(headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"})
    await response.prepare(request)
    for number in range(3):
        await response.write(packer.compress(f"line {number}\n".encode()) + packer.flush(zlib.Z_SYNC_FLUSH))
        await asyncio.wait_for(read.wait(), 20)
        read.clear()
    await response.write(packer.flush())
    return response


@routes.post("/flushes/read")
async def flushes_read(request):
    request.app["read"].set()
    return web.Response()


def digest_of(name, text):
    return hashlib.new("sha256" if name == "SHA-256" else "md5", text).hexdigest().encode()


def is_digest_right(request, given, name, body):
    """RFC 7616, 3.4.1"""
    secret = digest_of(name, f"{USER}:{REALM}:{PASSWORD}".encode())
    action = f"{request.method}:{given['uri']}".encode()
    if given["qop"] == "auth-int":
        action += b":" + digest_of(name, body)
    parts = [secret, *(given[key].encode() for key in ("nonce", "nc", "cnonce", "qop")), digest_of(name, action)]
    return given["uri"] == request.raw_path and given["username"] == USER and \
        given["response"].encode() == digest_of(name, b":".join(parts))


@routes.route("*", "/digest/{name}/{qop}")
async def digest(request):
    """Wants an answer whose count is one more than that of the answer before; a nonce is good for three. What is
    answered is the body, and how many nonces there were."""
    app, name, qop = request.app, request.match_info["name"], request.match_info["qop"]
    body = await request.read()
    nonce, count = app["nonces"].get(name + qop, ("", 0))
    field = request.headers.get("Authorization", "")
    given = {key: re.sub(r"\\(.)", r"\1", quoted) or plain
             for key, quoted, plain in re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]*))', field)}
    stale = ""
    if given:
        if not is_digest_right(request, given, name, body):
            return web.Response(status=403, text="wrong answer")
        if given["nonce"] == nonce and int(given["nc"], 16) == count + 1 <= 3:
            app["nonces"][name + qop] = nonce, count + 1
            return web.Response(body=body, headers={"X-Nonces": str(app["seen"]["nonces"])})
        stale = ", stale=true"
    app["seen"]["nonces"] += 1
    nonce = f"nonce {app['seen']['nonces']}=="
    app["nonces"][name + qop] = nonce, 0
    realm = REALM.replace("\\", "\\\\").replace('"', '\\"')
    return web.Response(status=401, headers={
        "WWW-Authenticate": f'Digest realm="{realm}", qop="{qop}", algorithm={name}, nonce="{nonce}"{stale}'})


async def expectation(request):
    """Says what becomes of a body that waits: 100 at once, or a refusal."""
    if "refuse" in request.query:
        raise web.HTTPForbidden(text="not from you")
    if "slow" in request.query:
        await asyncio.sleep(0.2)
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def echo(request):
    """Sends the body back, and how it came."""
    body = await request.read()
    return web.Response(body=body, headers={f"X-Sent-{name}": request.headers.get(name, "none") for name in (
        "Expect", "Content-Encoding", "Content-Length", "Transfer-Encoding")})


@routes.get("/cookies/set")
async def cookies_set(request):
    response = web.Response()
    response.set_cookie("plain", "1", path="/cookies")
    response.set_cookie("quoted", 'a b, "c"; \u00fc', path="/cookies", max_age=100, httponly=True, samesite="Strict")
    response.set_cookie("elsewhere", "1", path="/other")
    response.set_cookie("over-tls", "1", path="/cookies", secure=True)
    response.set_cookie("foreign", "1", domain="example.com")
    return response


@routes.get("/cookies/delete")
async def cookies_delete(request):
    response = web.Response()
    response.del_cookie("plain", path="/cookies")
    return response


@routes.get("/cookies/told")
async def cookies_told(request):
    return web.json_response(dict(request.cookies))


@routes.post("/parts")
async def parts(request):
    """Tells each part, and sends the bytes of the first file back."""
    told, file = [], None
    async for part in await request.multipart():
        body = bytes(await part.read())
        told.append(f"{part.name}|{part.filename}|{part.headers.get('Content-Type')}|{part.headers.get('X-Note')}|"
                    f"{len(body)}")
        if part.filename and file is None:
            file = body
    return web.Response(body=file, headers={"X-Parts": ";".join(told),
                                            "X-Length": request.headers.get("Content-Length", "none")})


@routes.route("*", "/closes")
async def closes(request):
    """Answers, and closes the connection when the next request is not there in this time: it does not say so."""
    await request.read()
    request.app["seen"]["served"] += 1
    request.protocol._keepalive_timeout = float(request.query["after"])
    return web.Response(text=str(request.app["seen"]["served"]))


def application():
    app = web.Application(client_max_size=1 << 30)
    app.add_routes(routes)
    app.router.add_post("/echo", echo, expect_handler=expectation)
    app["nonces"], app["seen"] = {}, {"nonces": 0, "served": 0}

    async def on_startup(app):
        app["read"] = asyncio.Event()

    app.on_startup.append(on_startup)
    return app


if __name__ == "__main__":
    port, *certificate = sys.argv[1:]
    tls = None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*certificate)
    web.run_app(application(), host="127.0.0.1", port=int(port), ssl_context=tls, print=None, access_log=None)
