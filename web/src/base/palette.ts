// Classes of states and their looks.  A state is readable without its colour: by height, hatch, dots.
//
// The colours stand at least 12.5 apart (OKLab x 100) in every pair, in normal sight and under simulated
// deuteranopia, protanopia and tritanopia.

export const CLASSES = ['none', 'running', 'runnable', 'blocked', 'lock', 'network', 'syscall', 'sleep', 'gc'] as const;

export const NONE = 0;
export const RUNNING = 1;
export const RUNNABLE = 2;
export const BLOCKED = 3;
export const LOCK = 4;
export const NETWORK = 5;
export const SYSCALL = 6;
export const SLEEP = 7;
export const GC = 8;
export const CLASS_COUNT = 9;

/** What a person calls a class. */
export const CLASS_TITLE: readonly string[] = [
	'not there', 'running', 'runnable', 'blocked', 'waiting for a lock', 'waiting for the network', 'system call', 'sleeping', 'garbage collector',
];

/** Short enough for a legend. */
export const CLASS_SHORT: readonly string[] = ['', 'running', 'runnable', 'blocked', 'lock', 'network', 'syscall', 'sleep', 'GC'];

/** What its height is, of the lane: by severity, so that waiting is quieter than running. */
export const HEIGHT: readonly number[] = [0, 1, 1, 0.8, 0.8, 0.6, 1, 0.35, 1];

/** Order of the bands of a stack, from below: what uses a proc, what wants one, what waits. */
export const STACK_ORDER: readonly number[] = [RUNNING, GC, SYSCALL, RUNNABLE, LOCK, NETWORK, BLOCKED, SLEEP];

export type Rgb = readonly [number, number, number]; // 0 .. 255, sRGB

export interface Theme {
	readonly name: 'light' | 'dark';
	readonly state: readonly Rgb[]; // by class
	readonly bg: Rgb;
	readonly bgHead: Rgb;     // header rows
	readonly bgCurrent: Rgb;  // the row that the keyboard is on
	readonly line: Rgb;
	readonly grid: Rgb;
	readonly ink: Rgb;
	readonly inkDim: Rgb;
	readonly accent: Rgb;     // selected
	readonly related: Rgb;    // waker and woken
	readonly stw: Rgb;
	readonly assist: Rgb;
	readonly log: Rgb;
	readonly sample: Rgb;
	readonly unborn: Rgb;
	readonly dead: Rgb;
	readonly brush: Rgb;
}

const rgb = (hex: string): Rgb => {
	const n = parseInt(hex.slice(1), 16);
	return [n >> 16, (n >> 8) & 255, n & 255];
};

const theme = (name: Theme['name'], state: readonly string[], rest: Readonly<Record<Exclude<keyof Theme, 'name' | 'state'>, string>>): Theme => ({
	name,
	state: state.map(rgb),
	bg: rgb(rest.bg), bgHead: rgb(rest.bgHead), bgCurrent: rgb(rest.bgCurrent), line: rgb(rest.line), grid: rgb(rest.grid), ink: rgb(rest.ink),
	inkDim: rgb(rest.inkDim), accent: rgb(rest.accent), related: rgb(rest.related), stw: rgb(rest.stw), assist: rgb(rest.assist),
	log: rgb(rest.log), sample: rgb(rest.sample), unborn: rgb(rest.unborn), dead: rgb(rest.dead), brush: rgb(rest.brush),
});

export const LIGHT = theme('light',
	['#ffffff', '#12b890', '#e0c501', '#ae5b2c', '#6d142b', '#3475b5', '#0e1a74', '#dde5f2', '#bd8bf8'], {
		bg: '#ffffff', bgHead: '#f3f5f8', bgCurrent: '#e8f0fe', line: '#e3e7ed', grid: '#eef1f5', ink: '#1b2230', inkDim: '#586273',
		accent: '#c2188b', related: '#0a7d32', stw: '#d7263d', assist: '#8b3ff0', log: '#1b2230', sample: '#6b7688',
		unborn: '#9dbfae', dead: '#b5bcc8', brush: '#1f5fd0',
	});

export const DARK = theme('dark',
	['#15181e', '#16dbac', '#fcec56', '#f48b06', '#d1161f', '#3e8ba8', '#4f29bf', '#2c323a', '#c19afe'], {
		bg: '#15181e', bgHead: '#1c2129', bgCurrent: '#20304a', line: '#2a303a', grid: '#1d222a', ink: '#e6eaf1', inkDim: '#9aa5b5',
		accent: '#ff5cc8', related: '#4fd67c', stw: '#ff4d5e', assist: '#b98aff', log: '#e6eaf1', sample: '#8c97a8',
		unborn: '#4b6b5b', dead: '#5a6472', brush: '#7fb0ff',
	});

export const css = (c: Rgb, alpha = 1): string => (alpha === 1 ? `rgb(${c[0]},${c[1]},${c[2]})` : `rgba(${c[0]},${c[1]},${c[2]},${alpha})`);

/** sRGB 0..255 to linear 0..1. */
export function toLinear(v: number): number {
	const s = v / 255;
	return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
}

/** Linear 0..1 to sRGB 0..255. */
export function toSrgb(v: number): number {
	return 255 * (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);
}

/** Mixes the colours of classes 1 to 8 by their shares in linear light; what the shares leave uncovered shows `bg`.
 * At least `floor` of it is covered, by class `main` if the shares are all too small to be told. */
export function blend(state: readonly Rgb[], share: ArrayLike<number>, at: number, bg: Rgb, floor = 0, main = 0): Rgb {
	let sum = 0;
	const mixed = [0, 0, 0];
	for (let k = 0; k < 8; k++) {
		const w = (share[at + k] ?? 0) / 255;
		if (w === 0)
			continue;
		sum += w;
		for (let i = 0; i < 3; i++)
			mixed[i]! += w * toLinear(state[k + 1]![i]!);
	}
	const cover = Math.min(1, Math.max(sum, floor));
	const one = (i: 0 | 1 | 2): number => {
		const c = sum > 0 ? mixed[i]! / sum : toLinear(state[main]![i]);
		return Math.round(toSrgb(c * cover + toLinear(bg[i]) * (1 - cover)));
	};
	return [one(0), one(1), one(2)];
}

/** Relative luminance, as WCAG defines it. */
export const luminance = (c: Rgb): number => 0.2126 * toLinear(c[0]) + 0.7152 * toLinear(c[1]) + 0.0722 * toLinear(c[2]);

export function contrast(a: Rgb, b: Rgb): number {
	const x = luminance(a);
	const y = luminance(b);
	return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** Black or white, whichever reads better on it. */
export const inkOn = (c: Rgb): string => (luminance(c) > 0.179 ? '#10141b' : '#ffffff');

/** -1 .. 1 from a row number: neighbours of one class get a shade of their own. */
export function shadeOf(ref: number): number {
	let h = Math.imul(ref ^ (ref >>> 16), 0x45d9f3b);
	h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
	return (((h ^ (h >>> 16)) >>> 0) % 201) / 100 - 1;
}
