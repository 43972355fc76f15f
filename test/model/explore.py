"""Every interleaving of a few threads, with the store buffers of x86 (TSO).

A thread is a list of instructions; `memory` maps names to numbers; names that begin with "ghost_" are for the property only,
and change at once.  Instructions (t: the thread's registers, a dict; m: memory as the thread sees it):

  ("store", name, value)             into the thread's buffer; value may be a function of t
  ("load", register, name)           from its buffer, else from memory
  ("rmw", register, name, function)  old value to the register, function(old, t) to memory; a full barrier
  ("lock", name)                     waits for 0 and makes it 1: a full barrier
  ("fence",)                         drains the buffer
  ("fence_all",)                     drains everybody's: membarrier(2)
  ("if", condition, label)           jumps when condition(t)
  ("goto", label), ("label", label)
  ("ghost", name, value)             value may be a function of t and the ghost's old value
  ("await", name, value)             waits until memory has it
"""


class Model:
    def __init__(self, memory, threads, always=None, at_end=None):
        self.start = dict(memory)
        self.threads = threads
        self.labels = [{i[1]: at for at, i in enumerate(code) if i[0] == "label"} for code in threads]
        self.always = always or (lambda m: None)
        self.at_end = at_end or (lambda m: None)

    def explore(self):
        """(states, None), or (states, what is wrong) at the first one that is."""
        first = (tuple(sorted(self.start.items())), tuple((0, (), ()) for _ in self.threads))
        seen, todo = {first}, [first]
        while todo:
            memory, threads = todo.pop()
            m = dict(memory)
            wrong = self.always(m)
            if wrong:
                return len(seen), wrong
            following = list(self.following(m, threads))
            if not following:
                wrong = self.ended(m, threads)
                if wrong:
                    return len(seen), wrong
            for state in following:
                if state not in seen:
                    seen.add(state)
                    todo.append(state)
        return len(seen), None

    def ended(self, m, threads):
        stuck = [n for n, (at, _, _) in enumerate(threads) if at < len(self.threads[n])]
        if stuck:
            return f"threads {stuck} wait for ever"
        return self.at_end(m)

    def following(self, m, threads):
        for n, (at, registers, buffer) in enumerate(threads):
            if buffer: # the oldest store reaches memory
                (name, value), rest = buffer[0], buffer[1:]
                yield self.state(dict(m, **{name: value}), threads, n, (at, registers, rest))
            if at < len(self.threads[n]):
                yield from self.step(m, threads, n)

    @staticmethod
    def state(m, threads, n, thread):
        return tuple(sorted(m.items())), threads[:n] + (thread,) + threads[n + 1:]

    def step(self, m, threads, n):
        at, registers, buffer = threads[n]
        what, *args = self.threads[n][at]
        t = dict(registers)
        go = at + 1
        if what in ("rmw", "lock", "fence") and buffer:
            return # once it is drained
        if what == "store":
            value = args[1](t) if callable(args[1]) else args[1]
            buffer += ((args[0], value),)
        elif what == "load":
            t[args[0]] = next((v for name, v in reversed(buffer) if name == args[1]), m[args[1]])
        elif what == "rmw":
            t[args[0]] = m[args[1]]
            m = dict(m, **{args[1]: args[2](m[args[1]], t)})
        elif what == "lock":
            if m[args[0]]:
                return
            m = dict(m, **{args[0]: 1})
        elif what == "fence_all":
            if any(b for _, _, b in threads):
                return
        elif what == "if":
            go = self.labels[n][args[1]] if args[0](t) else go
        elif what == "goto":
            go = self.labels[n][args[0]]
        elif what == "ghost":
            value = args[1](t, m[args[0]]) if callable(args[1]) else args[1]
            m = dict(m, **{args[0]: value})
        elif what == "await":
            if m[args[0]] != args[1]:
                return
        yield self.state(m, threads, n, (go, tuple(sorted(t.items())), buffer))
