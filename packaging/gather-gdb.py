# SPDX-License-Identifier: MIT
"""Tasks in gdb: `source gather-gdb.py`, then

    gather tasks       every loop's tasks as a tree: what each waits for
    gather bt TASK     the backtrace of one task, by the address that `gather tasks` prints

Both work on a live process and on a core. No register or memory is written: the backtrace is made by an unwinder that lets a
task's saved registers stand in for the thread's.
"""

import gdb
import gdb.unwinder

STATES = ["new", "ready", "running", "parked", "ended"]
ROOT, CANCELLED = 64, 1
# What ga__context_swap leaves on the stack, from the saved stack pointer up, in words.
SAVED = {
    "i386:x86-64": (["r15", "r14", "r13", "r12", "rbx", "rbp", "rip"], 1, 64, "rsp"),
    "aarch64": (["x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "pc"], 0, 176, "sp"),
}


def loops():
    """Each thread's loop, where it runs one."""
    selected = gdb.selected_thread()
    for thread in sorted(gdb.selected_inferior().threads(), key=lambda one: one.num):
        thread.switch()
        loop = gdb.parse_and_eval("ga__loop_here")
        if loop:
            yield thread, loop.dereference()
    if selected:
        selected.switch()


def string(value):
    return value.string() if value else None


def containing(link, type_name, member):
    kind = gdb.lookup_type(type_name)
    offset = next(field.bitpos // 8 for field in kind.fields() if field.name == member)
    return gdb.Value(int(link) - offset).cast(kind.pointer())


def walk(scope, depth=0):
    """Yields (depth, task) for the subtree, in the order in which tasks were started."""
    if int(scope["flags_"]) & ROOT:
        yield depth, scope["task_"]
        depth += 1
    head = scope["children_"].address
    link = scope["children_"]["next"]
    while link and link != head:
        yield from walk(containing(link, "ga_scope", "sibling_").dereference(), depth)
        link = link.dereference()["next"]


def describe(task):
    state = STATES[int(task["state"])]
    waiting = string(task["waiting_for"])
    text = f"waits for {waiting}" if state == "parked" and waiting else state
    if int(task["scope"]["flags_"]) & CANCELLED:
        text += ", cancelled"
    group = task["root"]["parent_"]
    where = string(group["where_"]) if group else None
    return text + (f", in the group opened at {where}" if where else "")


class TaskUnwinder(gdb.unwinder.Unwinder):
    """Continues the thread's innermost frame in the chosen task's."""

    class FrameId:
        def __init__(self, sp, pc):
            self.sp, self.pc = sp, pc

    def __init__(self):
        super().__init__("gather task")
        self.task, self.innermost = None, None

    def __call__(self, pending):
        layout = SAVED.get(pending.architecture().name())
        if self.task is None or layout is None:
            return None
        names, skip, size, stack_register = layout
        if int(pending.read_register(stack_register)) != self.innermost:
            return None
        saved = int(self.task["context"]["sp"])
        words = gdb.Value(saved).cast(gdb.lookup_type("unsigned long").pointer())
        info = pending.create_unwind_info(self.FrameId(gdb.Value(saved), words[skip + len(names) - 1]))
        for place, name in enumerate(names):
            info.add_saved_register(name, words[skip + place])
        info.add_saved_register(stack_register, gdb.Value(saved + size).cast(gdb.lookup_type("unsigned long")))
        return info


unwinder = TaskUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, True)


class Gather(gdb.Command):
    """gather tasks | gather bt TASK: the tasks of a program that uses libgather."""

    def __init__(self):
        super().__init__("gather", gdb.COMMAND_STACK, prefix=True)


class GatherTasks(gdb.Command):
    """Prints every loop's tasks as a tree."""

    def __init__(self):
        super().__init__("gather tasks", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        found = False
        for thread, loop in loops():
            found = True
            print(f"thread {thread.num}: {int(loop['task_count'])} tasks")
            for depth, task in walk(loop["root"]["root"]):
                print(f"{'  ' * depth}{string(task['name'])} {hex(int(task))}: {describe(task)}")
        if not found:
            print("no thread runs a loop")


class GatherBacktrace(gdb.Command):
    """Prints the backtrace of the task at the given address."""

    def __init__(self):
        super().__init__("gather bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        arguments = gdb.string_to_argv(argument)
        if len(arguments) != 1:
            raise gdb.GdbError("usage: gather bt TASK, with an address that `gather tasks` printed")
        task = gdb.parse_and_eval(arguments[0]).cast(gdb.lookup_type("ga_task").pointer())
        state = STATES[int(task["state"])]
        if state == "running":
            for thread, loop in loops():
                if loop["current"] == task:
                    thread.switch()
                    gdb.execute("bt")
                    return
        if not task["stack"]:
            raise gdb.GdbError(f"task {string(task['name'])} has no stack: it is {state}")
        frame = gdb.newest_frame()
        unwinder.innermost = int(frame.read_register(SAVED[frame.architecture().name()][3]))
        unwinder.task = task
        gdb.invalidate_cached_frames()
        try:
            print(f"task {string(task['name'])}: {describe(task)}; frame #0 is the thread's own")
            gdb.execute("bt")
        finally:
            unwinder.task = None
            gdb.invalidate_cached_frames()


Gather()
GatherTasks()
GatherBacktrace()
