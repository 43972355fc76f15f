// A profile's stacks as a tree of calls, and which of its cells are wide enough to be seen.

import type { Frame } from './api';

export interface Call {
	readonly name: string;
	readonly parent: Call | null;
	readonly depth: number;
	total: number; // of it and all it calls
	self: number;
	count: number;
	readonly calls: Map<string, Call>;
}

export interface Weighed {
	readonly count: number;
	readonly ns: number;
	readonly stack: readonly Frame[]; // innermost first
}

/** A cell of the picture: where, as shares of the width of the focus. */
export interface Cell {
	readonly call: Call;
	readonly row: number;
	readonly x: number;
	readonly w: number;
}

const newCall = (name: string, parent: Call | null): Call =>
	({ name, parent, depth: parent ? parent.depth + 1 : 0, total: 0, self: 0, count: 0, calls: new Map() });

/** Merges stacks by function, outermost at the root; `upside` begins with the innermost.  What has no stack is a call of
 * no name.  A profile without times is weighed by its counts. */
export function callTree(stacks: readonly Weighed[], upside = false): Call {
	const root = newCall('', null);
	const timed = stacks.some(x => x.ns > 0);
	for (const { stack, ns, count } of stacks) {
		const weight = timed ? ns : count;
		let at = root;
		at.total += weight;
		at.count += count;
		const names = stack.length > 0 ? stack.map(f => f.func) : [''];
		for (const name of upside ? names : names.reverse()) {
			let next = at.calls.get(name);
			if (!next)
				at.calls.set(name, next = newCall(name, at));
			next.total += weight;
			next.count += count;
			at = next;
		}
		at.self += weight;
	}
	return root;
}

/** The same call in a tree that was built anew, as deep as there is one. */
export function sameCall(root: Call, old: Call): Call {
	const names: string[] = [];
	for (let c: Call | null = old; c?.parent; c = c.parent)
		names.unshift(c.name);
	let at = root;
	for (const n of names) {
		const next = at.calls.get(n);
		if (!next)
			break;
		at = next;
	}
	return at;
}

/** The cells of a focus: its callers as full rows above it, and what it calls, widest first, from a share of `least` on. */
export function cells(focus: Call, least: number, most = 2000): readonly Cell[] {
	const out: Cell[] = [];
	for (let c: Call | null = focus; c; c = c.parent)
		out.unshift({ call: c, row: c.depth, x: 0, w: 1 });
	const unit = focus.total > 0 ? 1 / focus.total : 0;
	const todo: Cell[] = [out[out.length - 1]!];
	for (let i = 0; i < todo.length && out.length < most; i++) {
		const { call, x } = todo[i]!;
		let left = x;
		for (const next of [...call.calls.values()].sort((a, b) => b.total - a.total || (a.name < b.name ? -1 : 1))) {
			const w = next.total * unit;
			if (w < least || out.length >= most)
				break;
			const cell = { call: next, row: next.depth, x: left, w };
			out.push(cell);
			todo.push(cell);
			left += w;
		}
	}
	return out;
}
