import assert from 'node:assert/strict';
import { test } from 'node:test';

import { askedRange, filter, question, scope } from '../src/model/answers';
import type { Frame, Info } from '../src/model/api';
import { callTree, cells, sameCall, type Call } from '../src/model/flame';
import * as s from '../src/model/state';

const frame = (func: string): Frame => ({ func, file: `${func}.go`, line: 1, pc: '0x1' });
const stack = (ns: number, count: number, ...outermostFirst: string[]): { ns: number; count: number; stack: readonly Frame[] } =>
	({ ns, count, stack: [...outermostFirst].reverse().map(frame) });
const call = (root: Call, ...path: string[]): Call => path.reduce((c, n) => c.calls.get(n)!, root);

const stacks = [stack(60, 3, 'main', 'a', 'b'), stack(30, 1, 'main', 'a'), stack(10, 9, 'main', 'c', 'b')];

test('a call has the time of all it calls, and what is left is its own', () => {
	const t = callTree(stacks);
	assert.equal(t.total, 100);
	assert.equal(t.count, 13);
	assert.deepEqual([call(t, 'main').total, call(t, 'main').self], [100, 0]);
	assert.deepEqual([call(t, 'main', 'a').total, call(t, 'main', 'a').self, call(t, 'main', 'a').count], [90, 30, 4]);
	assert.deepEqual([call(t, 'main', 'c', 'b').total, call(t, 'main', 'c', 'b').depth], [10, 3]);
});

test('by innermost function, callers stand below; a profile without times is weighed by counts', () => {
	const t = callTree(stacks, true);
	assert.equal(call(t, 'b').total, 70);
	assert.equal(call(t, 'b', 'a', 'main').total, 60);
	assert.equal(callTree(stacks.map(x => ({ ...x, ns: 0 }))).total, 13);
});

test('what has no stack is a call of no name', () => {
	const t = callTree([...stacks, stack(50, 2)]);
	assert.deepEqual([t.total, t.self, call(t, '').total, call(t, '').count], [150, 0, 50, 2]);
});

test('a call is found again in a tree built anew, as far as it is there', () => {
	const b = call(callTree(stacks), 'main', 'a', 'b');
	assert.equal(sameCall(callTree(stacks), b).name, 'b');
	assert.equal(sameCall(callTree([stacks[1]!]), b).name, 'a');
	assert.equal(sameCall(callTree([]), b).parent, null);
});

test('cells: widest first, inside of their caller, callers of the focus as whole rows, narrow ones left out', () => {
	const t = callTree(stacks);
	const all = cells(t, 0);
	assert.deepEqual(all.map(c => [c.call.name, c.row, c.x, Math.round(c.w * 100)]), [
		['', 0, 0, 100], ['main', 1, 0, 100], ['a', 2, 0, 90], ['c', 2, 0.9, 10], ['b', 3, 0, 60], ['b', 3, 0.9, 10]]);
	assert.equal(cells(t, 0.2).length, 4);
	assert.equal(cells(t, 0, 3).length, 3);
	const in_a = cells(call(t, 'main', 'a'), 0);
	assert.deepEqual(in_a.map(c => [c.call.name, c.row, c.w > 0.99]), [['', 0, true], ['main', 1, true], ['a', 2, true], ['b', 3, false]]);
	assert.deepEqual(cells(callTree([]), 0).length, 1);
});

test('what is asked about: all, the view when it is a part, the range when there is one', () => {
	s.info.value = { duration_ns: 1000 } as Info;
	s.size.value = { width: 100, height: 10, dpr: 1 };
	assert.equal(askedRange.value, '');
	scope.value = 'view';
	s.view.value = { t0: 0, scale: 10 };
	assert.equal(askedRange.value, '');
	s.view.value = { t0: 100.5, scale: 2 };
	assert.equal(askedRange.value, '100ns..301ns');
	scope.value = 'range';
	assert.equal(askedRange.value, '');
	s.range.value = { t0: 5, t1: 7.2 };
	assert.equal(askedRange.value, '5ns..8ns');
	scope.value = 'whole';
	s.range.value = null;
	assert.equal(filter.value, '');
});

test('questions leave out what is empty and escape the rest', () => {
	assert.equal(question('mmu', { range: '', flags: 0 }), 'api/mmu?flags=0');
	assert.equal(question('tasks', { filter: 'fn:a b&c' }), 'api/tasks?filter=fn%3Aa%20b%26c');
	assert.equal(question('tasks', {}), 'api/tasks');
});
