# SPDX-License-Identifier: MIT
"""todo-api, seen by clients that are not ours: it must be a good HTTP/1.1 server before it judges a client."""
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import time
import unittest
import urllib.parse

import servers
import tap

FIRST = '{\n  "userId": 1,\n  "id": 1,\n  "title": "delectus aut autem",\n  "completed": false\n}'


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


class WithServer(unittest.TestCase):
    """One server for all cases of a class."""

    options = ()

    @classmethod
    def setUpClass(cls):
        cls.api = cls.enterClassContext(servers.todo_api(*cls.options))
        parts = urllib.parse.urlsplit(cls.api.url)
        cls.address = parts.hostname, parts.port

    def open(self):
        """A plain socket to the server."""
        connection = socket.create_connection(self.address, 20)
        self.addCleanup(connection.close)
        return connection

    def ask(self, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        self.addCleanup(connection.close)
        connection.request(method, target, body, headers or {})
        return Answer(connection.getresponse())

    def send(self, data, pause=0):
        """Sends bytes as they are, one by one with a pause, and returns all that comes until the server closes."""
        connection = self.open()
        if pause:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in data:
                connection.sendall(bytes([byte]))
                time.sleep(pause)
        else:
            connection.sendall(data)
        received = b""
        while more := connection.recv(65536):
            received += more
        return received


class Todos(WithServer):
    def test_one_todo_is_printed_as_the_real_api_prints_it(self):
        answer = self.ask("GET", "/todos/1")
        self.assertEqual((answer.status, answer.text), (200, FIRST))
        self.assertEqual(answer.headers["Content-Type"], "application/json; charset=utf-8")
        self.assertEqual(answer.headers["Content-Length"], str(len(FIRST)))
        self.assertIn("GMT", answer.headers["Date"])

    def test_all_todos(self):
        answer = self.ask("GET", "/todos")
        todos = answer.json
        self.assertEqual(answer.text, json.dumps(todos, indent=2))
        self.assertEqual([todo["id"] for todo in todos], list(range(1, 201)))
        self.assertTrue(all(todo["userId"] == (todo["id"] - 1) // 20 + 1 for todo in todos))
        self.assertEqual([todo["title"] for todo in todos[:4]],
                         ["delectus aut autem", "quis ut nam facilis et officia qui", "fugiat veniam minus",
                          "et porro tempora"])
        self.assertEqual([todo["completed"] for todo in todos[:4]], [False, False, False, True])
        self.assertEqual(self.ask("GET", "/todos?").text, answer.text)
        self.assertEqual(self.ask("GET", "/todos/7").json, todos[6])

    def test_they_are_the_same_at_each_start(self):
        with servers.todo_api() as other:
            url = urllib.parse.urlsplit(other.url)
            connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
            connection.request("GET", "/todos")
            self.assertEqual(Answer(connection.getresponse()).text, self.ask("GET", "/todos").text)
            connection.close()

    def test_filters(self):
        def ids(query):
            return [todo["id"] for todo in self.ask("GET", f"/todos?{query}").json]

        todos = self.ask("GET", "/todos").json
        self.assertEqual(ids("userId=3"), list(range(41, 61)))
        self.assertEqual(ids("completed=true"), [todo["id"] for todo in todos if todo["completed"]])
        self.assertEqual(ids("id=5&id=9"), [5, 9])
        self.assertEqual(ids("userId=1&completed=true&id=4&id=1"), [4])
        self.assertEqual(ids("title=et+porro%20tempora"), [4])
        self.assertEqual(ids("userId=11"), [])
        self.assertEqual(ids("userId=01"), [])
        self.assertEqual(ids("id=5&unknown=1&&=&x"), [5])

    def test_slices_tell_the_total(self):
        answer = self.ask("GET", "/todos?userId=2&_start=5&_limit=3")
        self.assertEqual([todo["id"] for todo in answer.json], [26, 27, 28])
        self.assertEqual(answer.headers["X-Total-Count"], "20")
        self.assertEqual([todo["id"] for todo in self.ask("GET", "/todos?_start=198&_end=300").json], [199, 200])
        self.assertEqual(self.ask("GET", "/todos?_limit=0").json, [])
        self.assertEqual(len(self.ask("GET", "/todos?_start=5").json), 200)
        self.assertEqual(self.ask("GET", "/todos?_start=18446744073709551615&_limit=9").json, [])
        self.assertIsNone(self.ask("GET", "/todos").headers["X-Total-Count"])

    def test_what_is_unknown_is_an_empty_object(self):
        for method, target in [("GET", "/"), ("GET", "/non-existent-url"), ("GET", "/todos/201"), ("GET", "/todos/0"),
                               ("GET", "/todos/1x"), ("GET", "/todos/-1"), ("GET", "/todos/18446744073709551617"),
                               ("PUT", "/todos/201"), ("DELETE", "/todos/0"), ("DELETE", "/todos"),
                               ("POST", "/todos/1"), ("POST", "/slow"), ("BREW", "/coffee"), ("GET", "/todosx"),
                               ("OPTIONS", "*")]:
            with self.subTest(method=method, target=target):
                answer = self.ask(method, target)
                self.assertEqual((answer.status, answer.text), (404, "{}"))

    def test_post_answers_with_what_was_sent_and_an_id(self):
        answer = self.ask("POST", "/todos", '{"title": "write C", "id": 7, "n": {"\u00e9": [1.5, null]}}'.encode(),
                          {"Content-Type": "application/json; charset=utf-8"})
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.text, '{\n  "title": "write C",\n  "id": 201,\n  "n": {\n    "\u00e9": [\n      1.5,\n'
                                      '      null\n    ]\n  }\n}')
        self.assertEqual(answer.headers["Location"], f"{self.api.url}/todos/201")
        self.assertEqual(len(self.ask("GET", "/todos").json), 200, "it is not stored")

    def test_post_takes_forms(self):
        answer = self.ask("POST", "/todos", "title=a+b%26c&userId=3", {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(answer.json, {"title": "a b&c", "userId": "3", "id": 201})

    def test_post_of_neither_json_nor_form_is_ignored(self):
        self.assertEqual(self.ask("POST", "/todos", "title=x", {"Content-Type": "text/plain"}).json, {"id": 201})
        self.assertEqual(self.ask("POST", "/todos").json, {"id": 201})

    def test_post_refuses_what_is_not_a_json_object(self):
        for body in ["{", "[1]", "nonsense", '{"a": 1} x', '{"a": 1, "a": 2}', b'{"a": "\xff"}', '{"a":' * 100000,
                     "[" * 1000000]:
            with self.subTest(body=body[:20]):
                answer = self.ask("POST", "/todos", body, {"Content-Type": "application/json"})
                self.assertEqual(answer.status, 400)
                self.assertIn("error", answer.json)

    def test_put_replaces_and_patch_merges(self):
        json_type = {"Content-Type": "application/json"}
        self.assertEqual(self.ask("PUT", "/todos/2", '{"title": "x"}', json_type).json, {"title": "x", "id": 2})
        self.assertEqual(self.ask("PATCH", "/todos/1", '{"title": "x"}', json_type).json,
                         {"userId": 1, "id": 1, "title": "x", "completed": False})
        self.assertEqual(self.ask("GET", "/todos/1").text, FIRST, "it is not stored")

    def test_delete_answers_with_an_empty_object(self):
        answer = self.ask("DELETE", "/todos/1")
        self.assertEqual((answer.status, answer.text), (200, "{}"))


class ForTryingOut(WithServer):
    def test_slow_takes_its_time(self):
        start = time.monotonic()
        answer = self.ask("GET", "/slow?delay=0.3")
        self.assertGreaterEqual(time.monotonic() - start, 0.3)
        self.assertEqual((answer.status, answer.json), (200, {"delay": 0.3}))
        for delay in ["x", "-1", "1e9", "nan", "inf", ""]:
            self.assertEqual(self.ask("GET", f"/slow?delay={delay}").status, 400, delay)

    def test_slow_calls_wait_beside_each_other(self):
        connections = [self.open() for _ in range(50)]
        start = time.monotonic()
        for connection in connections:
            connection.sendall(b"GET /slow?delay=0.5 HTTP/1.1\r\nHost: x\r\n\r\n")
        for connection in connections:
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertLess(time.monotonic() - start, 5)

    def test_status(self):
        for status in [200, 201, 301, 304, 404, 418, 429, 500, 503, 599]:
            answer = self.ask("GET", f"/status/{status}")
            self.assertEqual((answer.status, answer.text), (status, "" if status == 304 else "{}"))
        for status in ["100", "199", "600", "99999999999999999999", "x", ""]:
            self.assertEqual(self.ask("GET", f"/status/{status}").status, 400, status)

    def test_status_204_has_no_body_and_no_length(self):
        received = self.send(b"GET /status/204 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertTrue(received.endswith(b"\r\n\r\n"))
        self.assertNotIn(b"Content-Length", received)

    def test_headers_are_told_as_they_came(self):
        received = self.send(b"GET /headers HTTP/1.1\r\nHost: x\r\nx-One:  a b \r\nX-Two: 1\r\nX-Two: 2\r\n"
                             b"Connection: close\r\n\r\n")
        told = json.loads(received.split(b"\r\n\r\n", 1)[1])
        self.assertEqual(told, {"Host": "x", "x-One": "a b", "X-Two": "1, 2", "Connection": "close"})

    def test_a_header_that_json_cannot_hold(self):
        self.assertIn(b"HTTP/1.1 400 ", self.send(b"GET /headers HTTP/1.1\r\nHost: x\r\nX: \xff\r\nConnection: close\r\n\r\n"))

    def test_requests_are_counted(self):
        def count():
            answer = self.ask("GET", "/requests")
            self.assertEqual(answer.status, 200)
            return answer.json["requests"]

        before = count()
        self.assertEqual(count(), before)
        for target in ["/todos/1", "/todos/1?requests", "/nothing", "/status/500", "/requests/"]:
            self.ask("GET", target)
        self.ask("POST", "/todos")
        self.assertEqual(count(), before + 6)
        self.assertEqual(self.ask("POST", "/requests").status, 404)

    def test_stream_comes_in_chunks(self):
        answer = self.ask("GET", "/stream?lines=3")
        self.assertEqual(answer.headers["Transfer-Encoding"], "chunked")
        self.assertEqual(answer.text, '{"line": 1}\n{"line": 2}\n{"line": 3}\n')
        self.assertEqual(len(self.ask("GET", "/stream").text.splitlines()), 10)
        self.assertEqual(self.ask("GET", "/stream?lines=0").status, 400)
        self.assertEqual(self.ask("GET", "/stream?lines=1000001").status, 400)

    def test_a_long_stream_is_whole(self):
        lines = self.ask("GET", "/stream?lines=100000").text.splitlines()
        self.assertEqual([json.loads(line)["line"] for line in lines], list(range(1, 100001)))

    def test_stream_to_http_1_0_ends_with_the_connection(self):
        received = self.send(b"GET /stream?lines=2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        self.assertTrue(received.endswith(b'\r\n\r\n{"line": 1}\n{"line": 2}\n'))
        self.assertIn(b"Connection: close\r\n", received)


class Protocol(WithServer):
    def test_head_has_the_headers_alone(self):
        get = self.ask("GET", "/todos")
        head = self.ask("HEAD", "/todos")
        self.assertEqual((head.status, head.text), (200, ""))
        self.assertEqual(head.headers["Content-Length"], get.headers["Content-Length"])
        self.assertEqual(self.ask("HEAD", "/stream").text, "")

    def test_a_connection_serves_many_requests(self):
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        self.addCleanup(connection.close)
        connection.connect()
        first = connection.sock
        for number in range(1, 101):
            connection.request("GET" if number % 2 else "HEAD", f"/todos/{number}")
            answer = connection.getresponse()
            answer.read()
            self.assertEqual(answer.status, 200)
            self.assertIs(connection.sock, first)

    def test_pipelined_requests_are_answered_in_order(self):
        requests = b"".join(b"GET /todos/%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(1, 200))
        received = self.send(requests + b"GET /todos/200 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        ids = [int(line.split(b":")[1].strip(b" ,")) for line in received.splitlines() if b'"id"' in line]
        self.assertEqual(ids, list(range(1, 201)))

    def test_requests_that_came_during_a_slow_one_wait(self):
        connection = self.open()
        connection.sendall(b"GET /slow?delay=0.3 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.1)
        connection.sendall(b"GET /todos/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b""
        while more := connection.recv(65536):
            received += more
        self.assertLess(received.index(b'"delay"'), received.index(b"delectus"))

    def test_a_request_may_come_byte_by_byte(self):
        body = b'{"title": "slow"}'
        received = self.send(b"POST /todos HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
                             b"Content-Length: %d\r\n\r\n" % len(body) + body, 0.002)
        self.assertIn(b"HTTP/1.1 201 Created\r\n", received)
        self.assertIn(b'"title": "slow"', received)

    def test_a_body_in_chunks(self):
        received = self.send(b"POST /todos HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
                             b"Transfer-Encoding: chunked\r\n\r\n"
                             b'5;x=1\r\n{"tit\r\nB\r\nle": "in 2"\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n')
        self.assertIn(b'"title": "in 2"', received)

    def test_a_client_that_waits_to_be_told_to_go_on_is_told(self):
        connection = self.open()
        connection.sendall(b"POST /todos HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
                           b"Expect: 100-continue\r\nContent-Length: 8\r\n\r\n")
        self.assertEqual(connection.recv(4096), b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b'{"a": 1}')
        received = b""
        while more := connection.recv(65536):
            received += more
        self.assertTrue(received.startswith(b"HTTP/1.1 201 "))

    def test_http_1_0_closes_unless_asked_not_to(self):
        self.assertIn(b"Connection: close\r\n", self.send(b"GET /todos/1 HTTP/1.0\r\n\r\n"))
        connection = self.open()
        for _ in range(2):
            connection.sendall(b"GET /todos/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            self.assertIn(b"Connection: keep-alive\r\n", connection.recv(65536))

    def test_the_absolute_form(self):
        for target in ["http://x/todos/1", "http://x:80/todos/1?x=http://y/"]:
            received = self.send(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            self.assertIn(b"delectus", received)
        self.assertIn(b" 404 ", self.send(b"GET http://x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))

    def test_what_breaks_the_protocol_is_refused_and_cut_off(self):
        head = b"GET /todos/1 HTTP/1.1\r\nHost: x\r\n"
        for expected, data in [
                (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
                (400, b"GET\r\n\r\n"),
                (400, b"GET /todos/1\r\n\r\n"),
                (400, b"GET  /todos/1 HTTP/1.1\r\nHost: x\r\n\r\n"),
                (400, b"GET /todos/1 HTTP/1.1\r\n\r\n"),
                (400, b"GET /todos/1 HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
                (400, head + b"Bad Name: x\r\n\r\n"),
                (400, head + b"X : y\r\n\r\n"),
                (400, head + b"X: a\x00b\r\n\r\n"),
                (400, head + b"X: a\r\n folded\r\n\r\n"),
                (400, b"GET /todos/1 HTTP/1.1\nHost: x\n\n"),
                (400, head + b"Content-Length: -1\r\n\r\n"),
                (400, head + b"Content-Length: 1, 2\r\n\r\n"),
                (400, head + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                (400, head + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
                (400, head + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n"),
                (400, head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n"),
                (505, b"GET /todos/1 HTTP/2.0\r\nHost: x\r\n\r\n"),
                (414, b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
                (431, head + b"X: " + b"x" * 20000 + b"\r\n\r\n"),
                (431, head + b"X: y\r\n" * 200 + b"\r\n"),
                (413, head + b"Content-Length: 1048577\r\n\r\n"),
                (413, head + b"Content-Length: 18446744073709551615\r\n\r\n"),
                (413, head + b"Transfer-Encoding: chunked\r\n\r\n100001\r\n" + b"x" * 0x100001 + b"\r\n0\r\n\r\n"),
        ]:
            with self.subTest(data=data[:70]):
                received = self.send(data)
                status = int(received.split(b" ", 2)[1])
                if expected == 413 and b"18446744073709551615" in data:
                    self.assertIn(status, (400, 413))
                elif expected == 400 and b"gzip" in data:
                    self.assertIn(status, (400, 501))
                else:
                    self.assertEqual(status, expected, received)
                self.assertIn(b"Connection: close\r\n", received)
                self.assertEqual(received.count(b"HTTP/1.1 "), 1)
        self.assertEqual(self.ask("GET", "/todos/1").text, FIRST)

    def test_clients_that_leave_cost_nothing(self):
        def descriptors():
            return len(os.listdir(f"/proc/{self.api.child.pid}/fd"))

        self.ask("GET", "/todos/1")
        before = descriptors()
        for data in [b"", b"GET /to", b"GET /todos HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET /slow?delay=60 HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET /stream?lines=1000000 HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"POST /todos HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"]:
            for _ in range(20):
                with socket.create_connection(self.address, 20) as connection:
                    connection.sendall(data)
        end = time.monotonic() + 30
        while descriptors() > before + 1 and time.monotonic() < end:
            time.sleep(0.05)
        self.assertLessEqual(descriptors(), before + 1)

    def test_hundreds_of_connections_at_once(self):
        connections = [self.open() for _ in range(500)]
        for connection in connections:
            connection.sendall(b"GET /todos/1 HTTP/1.1\r\nHost: x\r\n\r\n")
        for connection in connections:
            self.assertIn(b"delectus", connection.recv(4096))


class Tls(WithServer):
    options = ("--tls",)

    def test_the_ca_file_verifies_it(self):
        context = ssl.create_default_context(cafile=self.api.ca)
        for name in ("127.0.0.1", "localhost"):
            connection = http.client.HTTPSConnection(name, self.address[1], timeout=20, context=context)
            connection.request("GET", "/todos/1")
            self.assertEqual(Answer(connection.getresponse()).text, FIRST)
            connection.close()

    def test_nothing_else_does(self):
        connection = http.client.HTTPSConnection(*self.address, timeout=20, context=ssl.create_default_context())
        self.addCleanup(connection.close)
        self.assertRaises(ssl.SSLCertVerificationError, connection.request, "GET", "/todos/1")

    def test_curl_agrees(self):
        run = subprocess.run(["curl", "-sS", "--cacert", self.api.ca, f"{self.api.url}/todos/1"], capture_output=True,
                             text=True, timeout=30)
        self.assertEqual((run.returncode, run.stdout), (0, FIRST))

    def test_plain_http_is_cut_off(self):
        connection = self.open()
        connection.sendall(b"GET /todos/1 HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        try:
            while more := connection.recv(65536):
                received += more
        except ConnectionResetError:
            pass
        self.assertNotIn(b"HTTP/1.1 200", received)


class Program(unittest.TestCase):
    def run_with(self, *options):
        return subprocess.run([servers.built("todo-api"), *options], capture_output=True, text=True, timeout=30)

    def test_help_says_what_it_is_for(self):
        run = self.run_with("--help")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("for demos and tests", run.stdout)

    def test_bad_options_are_said_and_exit_2(self):
        for options in [("--port", "x"), ("--port", "65536"), ("--port", "-1"), ("--port",), ("--host", "nowhere"),
                        ("--nonsense",), ("extra",)]:
            with self.subTest(options=options):
                run = self.run_with(*options)
                self.assertEqual(run.returncode, 2)
                self.assertEqual(run.stdout, "")
                self.assertIn("--help", run.stderr)
                self.assertIn("port" if "--port" in options else options[-1].lstrip("-"), run.stderr)

    def test_a_port_in_use_is_said(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            run = self.run_with("--port", str(taken.getsockname()[1]))
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn("in use", run.stderr)

    def test_the_port_and_host_asked_for(self):
        port = servers.free_port()
        with servers.todo_api("--port", str(port), "--host", "127.0.0.2") as api:
            self.assertEqual(api.url, f"http://127.0.0.2:{port}")
            socket.create_connection(("127.0.0.2", port), 20).close()

    def test_signals_end_it_in_order_whatever_goes_on(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with servers.todo_api("--tls") as api, servers.todo_api() as plain:
                ca = pathlib.Path(api.ca)
                self.assertTrue(ca.read_text().startswith("-----BEGIN CERTIFICATE-----"))
                url = urllib.parse.urlsplit(plain.url)
                clients = [socket.create_connection((url.hostname, url.port), 20) for _ in range(3)]
                clients[0].sendall(b"GET /slow?delay=60 HTTP/1.1\r\nHost: x\r\n\r\n")
                clients[1].sendall(b"GET /stream?lines=1000000 HTTP/1.1\r\nHost: x\r\n\r\n")
                clients[1].recv(10)
                for each in (api, plain):
                    each.child.send_signal(number)
                    self.assertEqual(each.child.wait(10), 0)
                for client in clients:
                    client.close()
                self.assertFalse(ca.parent.exists())


if __name__ == "__main__":
    tap.main()
