# SPDX-License-Identifier: MIT
"""An API as bulk jobs meet them: limits by requests and by tokens that it enforces, in windows it tells of in any of the
forms that are in use, keys, pages, slow answers, and links of all kinds. It logs whatever arrives.

    GET  /todos/N, /rows/ID              a small object; POST /rows/ID too, which keys make idempotent
    POST /v1/embeddings, /v1/chat/completions
    GET  /v1/search?q=PLACE              a geocoder
    GET  /orgs/NAME/repos?page=N         pages of an array, by the field Link
    GET  /feeds/NAME?page=N              the same by .next in the body, which is a URL
    GET  /cursors/NAME?cursor=C          by .meta.cursor, which is one
    HEAD /links/N                        what link_status() says of N
    ANY  /always/STATUS?after=SECONDS    the status, with Retry-After
    GET  /big?bytes=N, /limited/NAME/N, /never; POST /echo
    PUT  /control                        forgets all, and sets what Settings names
    GET  /log                            what arrived since, one [time, method, host, target, key, status] each

usage: api_server.py PORT
"""
import asyncio
import base64
import collections
import email.utils
import json
import math
import random
import socket
import sys
import time
import urllib.parse

PAGES = 5  # of each organisation and feed
PAGE_SIZE = 100
CURSOR = b"\xfb\xef\xff:page "  # and its number
NEVER = -1  # a delay


def link_status(number):
    """What a link answers: NEVER where it does not."""
    return {3: 301, 11: 404, 17: 405, 23: 500}.get(number % 50, NEVER if number % 5000 == 7 else 200)


class Window:
    """At most so many requests, and so many tokens, in so many seconds: in each stretch of that length, or from the
    first request after one window's end to the next window's end."""

    def __init__(self, seconds, requests=math.inf, tokens=math.inf, sliding=False, headers=None):
        self.seconds, self.requests, self.tokens, self.sliding = seconds, requests, tokens, sliding
        self.headers = headers or []
        self.seen = collections.deque()  # (time, tokens) of those let in
        self.used = 0  # tokens of those
        self.begin = -math.inf
        self.refused = 0

    def forget(self, now):
        if self.sliding:
            while self.seen and self.seen[0][0] <= now - self.seconds:
                self.used -= self.seen.popleft()[1]
        elif now >= self.begin + self.seconds:
            self.seen.clear()
            self.used, self.begin = 0, now

    def admit(self, now, tokens):
        self.forget(now)
        if len(self.seen) >= self.requests or self.used + tokens > self.tokens:
            self.refused += 1
            return False
        self.seen.append((now, tokens))
        self.used += tokens
        return True

    def reset(self, now):
        """Seconds until there is room again."""
        return (self.seen[0][0] if self.sliding and self.seen else self.begin) + self.seconds - now

    def fields(self, now, refused):
        reset, wall = max(self.reset(now), 0), time.time()
        left = max(self.requests - len(self.seen), 0)
        whole = math.ceil(reset)
        forms = {
            "retry-after": {"Retry-After": whole} if refused else {},
            "retry-after-date": {"Retry-After": email.utils.formatdate(math.ceil(wall + reset), usegmt=True)}
                                if refused else {},
            "retry-after-ms": {"retry-after-ms": math.ceil(reset * 1000)} if refused else {},
            "ratelimit": {"RateLimit": f'"default";r={left};t={whole}',
                          "RateLimit-Policy": f'"default";q={self.requests};w={math.ceil(self.seconds)}'},
            "ratelimit-old": {"RateLimit": f"limit={self.requests}, remaining={left}, reset={whole}"},
            "ratelimit-fields": {"RateLimit-Limit": self.requests, "RateLimit-Remaining": left,
                                 "RateLimit-Reset": whole},
            "x-delta": self._x(left, whole),
            "x-epoch": self._x(left, math.ceil(wall + reset)),
            "x-epoch-ms": self._x(left, math.ceil((wall + reset) * 1000)),
            "x-date": self._x(left, email.utils.formatdate(math.ceil(wall + reset), usegmt=True)),
            "x-rfc3339": self._x(left, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(math.ceil(wall + reset)))),
            "x-duration": {"x-ratelimit-limit-requests": self.requests, "x-ratelimit-remaining-requests": left,
                           "x-ratelimit-reset-requests": f"{math.ceil(reset * 1000)}ms" if reset < 1 else
                                                         f"0m{reset + 0.001:.3f}s"},
        }
        return [field for form in self.headers for field in forms[form].items()]

    def _x(self, left, reset):
        return {"X-RateLimit-Limit": self.requests, "X-RateLimit-Remaining": left, "X-RateLimit-Reset": reset}


class Settings:
    """What PUT /control sets: `delays` {path: [least, most]}, `limits` {path: arguments of Window}, both by the
    beginning of the path; `key`, the bearer token of /v1/chat and /v1/embeddings; `missing`, every so manieth of /rows
    answers 404."""

    def __init__(self, delays=None, limits=None, key=None, missing=0, seed=1):
        self.delays = delays or {}
        self.limits = {path: Window(**arguments) for path, arguments in (limits or {}).items()}
        self.key, self.missing = key, missing
        self.random = random.Random(seed)

    def of(self, table, path):
        return next((value for prefix, value in table.items() if path.startswith(prefix)), None)


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        parts = urllib.parse.urlsplit(target)
        self.path, self.query = parts.path, urllib.parse.parse_qs(parts.query)
        self.words = [urllib.parse.unquote(word) for word in parts.path.split("/")[1:]]
        self.time = time.monotonic()

    def number(self, name, otherwise):
        return int(self.query.get(name, [otherwise])[0])

    def url(self, **query):
        return f"http://{self.headers['host']}{self.path}?{urllib.parse.urlencode(query)}"


class Answer:
    def __init__(self, status, value=None, headers=(), body=None, delay=0):
        self.status, self.headers, self.delay = status, list(headers), delay
        self.body = json.dumps(value).encode() if body is None and value is not None else body or b""
        if value is not None:
            self.headers.append(("Content-Type", "application/json"))


class Api:
    def __init__(self):
        self.reset()

    def reset(self, **settings):
        self.settings = Settings(**settings)
        self.log, self.done, self.inside, self.most_inside = [], {}, collections.Counter(), collections.Counter()

    def answer(self, request):
        name = request.words[0]
        if name == "control":
            self.reset(**json.loads(request.body or b"{}"))
            return Answer(204)
        if name == "log":
            return Answer(200, {"log": self.log, "most_inside": self.most_inside,
                                "refused": {path: limit.refused for path, limit in self.settings.limits.items()},
                                "done": {key: value for key, value in self.done.items()}})
        answer = self.limited(request)
        self.log.append([request.time, request.method, request.headers.get("host"), request.target,
                         request.headers.get("idempotency-key"), answer.status])
        delay = self.settings.of(self.settings.delays, request.path)
        if delay and answer.delay == 0:
            answer.delay = self.settings.random.uniform(*delay)
        return answer

    def limited(self, request):
        limit = self.settings.of(self.settings.limits, request.path)
        if not limit:
            return self.route(request)
        tokens = tokens_of(request) if request.words[0] == "v1" else 0
        if limit.admit(request.time, tokens):
            answer = self.route(request)
            answer.headers += limit.fields(request.time, False)
            return answer
        return Answer(429, {"error": {"code": "rate_limit_exceeded"}}, limit.fields(request.time, True))

    def route(self, request):
        handler = getattr(self, f"on_{request.words[0].replace('-', '_')}", None)
        return handler(request, *request.words[1:]) if handler else Answer(404, {"error": "there is no such path"})

    # --- what there is

    def on_todos(self, request, number):
        return Answer(200, {"userId": 1, "id": int(number), "title": f"todo {number}", "completed": False})

    def on_rows(self, request, name):
        """A key's second request has no effect of its own."""
        key = request.headers.get("idempotency-key")
        if request.method == "POST":
            self.done.setdefault(name, [])
            if key is None or key not in self.done[name]:
                self.done[name].append(key)
        number = int("".join(filter(str.isdigit, name)) or 0)
        if self.settings.missing and number % self.settings.missing == 0:
            return Answer(404, {"error": f"no row {name}"})
        return Answer(200, {"row": name, "text": "a\"b\\c\n\u00fc" * (number % 7 + 1), "sent": len(request.body)})

    def on_v1(self, request, *words):
        if words[0] == "search":
            place = request.query.get("q", [""])[0]
            if not place.strip(", "):
                return Answer(400, {"error": "q is empty"})
            return Answer(200, {"features": [{"lat": len(place) + 0.5, "lon": 13, "name": place}]})
        if self.settings.key and request.headers.get("authorization") != f"Bearer {self.settings.key}":
            return Answer(401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}})
        body = json.loads(request.body)
        if words == ("embeddings",):
            return Answer(200, {"data": [{"embedding": [0.25, -1.5]}], "usage": {"total_tokens": tokens_of(request)}})
        question = body["messages"][-1]["content"]
        return Answer(200, {"choices": [{"message": {"role": "assistant", "content": f"You said: {question}"}}],
                            "usage": {"total_tokens": tokens_of(request)}})

    def on_orgs(self, request, name, what):
        page = request.number("page", 1)
        size = request.number("per_page", 30)
        headers = [("Link", f'<{request.url(per_page=size, page=page + 1)}>; rel="next", '
                            f'<{request.url(per_page=size, page=PAGES)}>; rel="last"')] if page < PAGES else []
        return Answer(200, [{"name": f"{name}-{(page - 1) * size + i}"} for i in range(size)], headers)

    def on_feeds(self, request, name):
        page = request.number("page", 1)
        return Answer(200, {"items": [f"{name}-{page}-{i}" for i in range(3)],
                            "next": request.url(page=page + 1) if page < PAGES else None})

    def on_cursors(self, request, name):
        """A cursor has what a parameter must encode: "+", "/" and "="."""
        cursor = request.query.get("cursor", [base64.b64encode(CURSOR + b"1").decode()])[0]
        page = int(base64.b64decode(cursor, validate=True).removeprefix(CURSOR))
        following = base64.b64encode(CURSOR + b"%d" % (page + 1)).decode() if page < PAGES else None
        return Answer(200, {"data": [f"{name}-{page}"], "meta": {"cursor": following}})

    def on_links(self, request, number, *moved):
        status = 200 if moved else link_status(int(number))
        if status == NEVER:
            return Answer(504, delay=NEVER)
        return Answer(status, headers=[("Location", request.path + "/moved")] if status == 301 else [])

    def on_limited(self, request, name, number):
        return Answer(200, {"number": int(number)})

    def on_always(self, request, status):
        after = request.query.get("after")
        return Answer(int(status), {"error": status}, [("Retry-After", after[0])] if after else [])

    def on_big(self, request):
        return Answer(200, body=b"x" * request.number("bytes", 0))

    def on_api(self, request, what, name):
        return Answer(200, {what: name, "price": len(name) + 0.99, "currency": "EUR"})

    def on_echo(self, request):
        """The body, as it came."""
        kind = request.headers.get("content-type", "application/octet-stream")
        return Answer(200, headers=[("Content-Type", kind)], body=request.body)

    def on_never(self, request, *rest):
        return Answer(200, delay=NEVER)


def tokens_of(request):
    """What the request is worth: a token for each four characters, and half of what may be answered."""
    body = json.loads(request.body or b"{}")
    text = body.get("input") or "".join(each["content"] for each in body.get("messages", []))
    return len(text) // 4 + 1 + body.get("max_tokens", 0) // 2


class Connection(asyncio.Protocol):
    """One request after the other, each answered before the next is looked at."""

    def __init__(self, api):
        self.api, self.received, self.busy, self.transport = api, b"", False, None

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data):
        self.received += data
        if self.received[0] == 0x16:  # whoever begins with TLS is told that this is none
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            self.transport.close()
        elif not self.busy:
            self.take()

    def take(self):
        head, separator, rest = self.received.partition(b"\r\n\r\n")
        if not separator:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", 0))
        if len(rest) < size:
            return
        self.received = rest[size:]
        self.busy = True
        self.reply(Request(method, target, headers, rest[:size]))

    def reply(self, request):
        api, host = self.api, request.headers.get("host")
        answer = api.answer(request)
        api.inside[host] += 1
        api.most_inside[host] = max(api.most_inside[host], api.inside[host])
        if answer.delay == NEVER:
            return
        if answer.delay > 0:
            asyncio.get_running_loop().call_later(answer.delay, self.send, request, answer)
        else:
            self.send(request, answer)

    def send(self, request, answer):
        self.api.inside[request.headers.get("host")] -= 1
        if self.transport.is_closing():
            return
        head = [f"HTTP/1.1 {answer.status} Status", *(f"{name}: {value}" for name, value in answer.headers)]
        if answer.status != 204:
            head.append(f"Content-Length: {len(answer.body)}")
        body = b"" if request.method == "HEAD" else answer.body
        self.transport.write("\r\n".join(head + ["", ""]).encode("latin-1") + body)
        self.busy = False
        if self.received:
            self.take()


async def main(port):
    api = Api()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(api), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
