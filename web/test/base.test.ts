import assert from 'node:assert/strict';
import { test } from 'node:test';

import { blend, CLASS_COUNT, contrast, DARK, inkOn, LIGHT, luminance, type Rgb } from '../src/base/palette';
import { BLENDED, decodeTiles, EXACT, NO_REF, runAt } from '../src/base/tile';
import { axis, bytes, duration, exact, grouped, instant, parseTime, tickStep } from '../src/base/time';

const plain = (t: string): string => t.replace(/\u2009/g, '_').replace(/−/g, '-');

test('durations have three digits and the right unit', () => {
	for (const [ns, text] of [
		[0, '0 ns'], [1, '1 ns'], [999, '999 ns'], [1000, '1 µs'], [1234, '1.23 µs'], [999_999, '1 ms'], [1_320_000, '1.32 ms'], [59_940_000_000, '59.9 s'],
		[63e9, '1 min 03 s'], [3_720e9, '1 h 02 min'], [-1500, '-1.5 µs'], [0.04, '0.04 ns'],
	] as const)
		assert.equal(plain(duration(ns)), text);
});

test('instants show every digit that the resolution tells', () => {
	assert.equal(plain(instant(1_234_567_891)), '1.234_567_891 s');
	assert.equal(plain(instant(1_234_567_891, 1e6)), '1.235 s');
	assert.equal(plain(instant(13_834_512, 1e4)), '13.83 ms');
	assert.equal(plain(instant(-5_000_000, 1e6)), '-5 ms');
	assert.equal(plain(instant(12_345e9, 1e9)), '12_345 s');
});

test('numbers are grouped by three before the point only', () => {
	assert.equal(plain(grouped(1234567)), '1,234,567');
	assert.equal(plain(grouped(-1234.5678, 3)), '-1,234.568');
	assert.equal(grouped(0), '0');
	assert.equal(bytes(1536), '1.5 KiB');
	assert.equal(bytes(17), '17 B');
});

test('times are read back exactly, also as links', () => {
	assert.equal(parseTime('1.2s'), 1_200_000_000);
	assert.equal(parseTime('+5ms', 100), 5_000_100);
	assert.equal(parseTime('-1 µs', 5000), 4000);
	assert.equal(parseTime('350us'), 350_000);
	assert.equal(parseTime('12'), undefined);
	assert.equal(parseTime('s'), undefined);
	for (const ns of [0, 1, 999_999_999, 1_000_000_001, 86_400_000_000_123, 123_456_789_012_345])
		assert.equal(parseTime(exact(ns)), ns);
});

test('ticks are round, at least as far apart as asked, and never many', () => {
	for (let e = 0; e < 13; e++)
		for (const m of [1, 1.7, 3.3, 7.9]) {
			const want = m * 10 ** e;
			const [step, parts] = tickStep(want);
			assert(step >= want * (1 - 1e-9), `${step} for ${want}`);
			assert(step <= Math.max(want * 3, 30e9), `${step} for ${want}`);
			assert.equal(step % 1, 0);
			assert.equal((step / parts) % 1, 0, `minor ticks of ${step} are whole`);
		}
});

test('labels of an axis tell neighbours apart at every zoom and place', () => {
	for (const t0 of [0, 1_234_567_890, 3600e9])
		for (let span = 20; span < 1e13; span *= 7.3) {
			const a = axis(t0, t0 + span, 1400);
			const labels = a.ticks.filter(t => t.rank === 2).map(t => t.label);
			assert.equal(new Set(labels).size, labels.length, labels.join(' | '));
			assert(labels.length >= 2 && labels.length <= 15, `${labels.length} labels for ${span} ns`);
			assert(a.ticks.length < 400);
		}
});

test('colours are mixed in linear light', () => {
	const state: Rgb[] = Array.from({ length: CLASS_COUNT }, () => [0, 0, 0] as const);
	state[1] = [255, 255, 255];
	const share = new Uint8Array(8);
	share[0] = 127;
	share[1] = 128;
	const mid = blend(state, share, 0, [0, 0, 0]);
	assert.equal(mid[0], 187); // half the light, not half the number
	assert.deepEqual(blend(state, new Uint8Array(8), 0, [10, 20, 30]), [10, 20, 30]);
});

test('what is rare stays visible in a merged run', () => {
	const share = new Uint8Array(8);
	const none = blend(LIGHT.state, share, 0, LIGHT.bg, 0.16, 3);
	assert.notEqual(String(none), String(LIGHT.bg));
});

test('text reads on every state and every ground', () => {
	for (const t of [LIGHT, DARK]) {
		for (const c of t.state)
			assert(contrast(c, inkOn(c) === '#ffffff' ? [255, 255, 255] : [16, 20, 27]) >= 4.5, `${t.name} ${c}`);
		for (const ground of [t.bg, t.bgHead, t.bgCurrent])
			for (const ink of [t.ink, t.inkDim])
				assert(contrast(ink, ground) >= 4.5, `${t.name}: ${ink} on ${ground} is ${contrast(ink, ground)}`);
		assert(contrast(t.accent, t.bg) >= 4.5);
	}
	assert(luminance([255, 255, 255]) > 0.999);
});

/** The bytes of an answer with one lane. */
function bytesOf(runs: readonly { x0: number; x1: number; kind: number; cls: number; share?: readonly number[] }[], extra = 0): ArrayBuffer {
	const pad = (n: number): number => (n + 3) & ~3;
	const n = runs.length;
	const blended = runs.filter(r => r.share);
	const buf = new ArrayBuffer(24 + 8 + 16 * n + 4 * pad(n) + 8 * blended.length + extra);
	const d = new DataView(buf);
	d.setUint32(0, 0x4c495457, true);
	d.setUint32(4, 1, true);
	d.setUint32(8, 10, true);
	d.setUint32(12, 1, true);
	d.setFloat64(16, 524288, true);
	d.setUint32(24, n, true);
	d.setUint32(28, blended.length, true);
	let at = 32;
	const each = (f: (r: typeof runs[number], at: number) => void, size: number): void => {
		for (const r of runs) {
			f(r, at);
			at += size;
		}
		at = pad(at);
	};
	each((r, a) => d.setFloat32(a, r.x0, true), 4);
	each((r, a) => d.setFloat32(a, r.x1, true), 4);
	each((_, a) => d.setUint32(a, 7, true), 4);
	each((_, a) => d.setUint32(a, NO_REF, true), 4);
	each((r, a) => d.setUint8(a, r.kind), 1);
	each((r, a) => d.setUint8(a, r.cls), 1);
	each((_, a) => d.setUint8(a, 1), 1);
	each((_, a) => d.setUint8(a, 2), 1);
	for (const r of blended)
		for (const v of r.share!)
			d.setUint8(at++, v);
	return buf;
}

test('tiles are decoded by the book', () => {
	const share = [1, 2, 3, 4, 5, 6, 7, 8];
	const t = decodeTiles(bytesOf([
		{ x0: -5, x1: 3, kind: EXACT, cls: 1 }, { x0: 4, x1: 6, kind: BLENDED, cls: 3, share }, { x0: 10, x1: 600, kind: EXACT, cls: 2 },
	]));
	assert.equal(t.zoom, 10);
	assert.equal(t.start, 524288);
	const l = t.lanes[0]!;
	assert.deepEqual([...l.x0], [-5, 4, 10]);
	assert.deepEqual([...l.cls], [1, 3, 2]);
	assert.deepEqual([...l.share.subarray(8, 16)], share);
	assert.deepEqual([...l.share.subarray(0, 8)], [0, 0, 0, 0, 0, 0, 0, 0]);
	assert.equal(l.marks[0], 1);
	assert.equal(l.flags[2], 2);
	assert.equal(l.count[1], 7);
});

test('bytes that are no tiles are refused, wherever they are cut', () => {
	const good = bytesOf([{ x0: 0, x1: 3, kind: EXACT, cls: 1 }, { x0: 4, x1: 6, kind: BLENDED, cls: 3, share: [1, 1, 1, 1, 1, 1, 1, 1] }]);
	for (let n = 0; n < good.byteLength; n++)
		assert.throws(() => decodeTiles(good.slice(0, n)), /tiles:/);
	const wrong = good.slice(0);
	new DataView(wrong).setUint32(4, 2, true);
	assert.throws(() => decodeTiles(wrong), /version 2/);
	new DataView(wrong).setUint32(0, 1, true);
	assert.throws(() => decodeTiles(wrong), /magic/);
});

test('the run under a px is found, and the nearest one beside it', () => {
	const t = decodeTiles(bytesOf([{ x0: 0, x1: 3, kind: EXACT, cls: 1 }, { x0: 10, x1: 20, kind: EXACT, cls: 2 }])).lanes[0]!;
	assert.equal(runAt(t, 1), 0);
	assert.equal(runAt(t, 10), 1);
	assert.equal(runAt(t, 3), -1);
	assert.equal(runAt(t, 4, 2), 0);
	assert.equal(runAt(t, 9, 2), 1);
	assert.equal(runAt(t, 6, 2), -1);
	assert.equal(runAt(t, 25, 2), -1);
});
