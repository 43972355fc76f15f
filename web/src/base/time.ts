// Times are numbers of nanoseconds from the first event of the trace; exact below 2^53 (104 days).

const units: readonly (readonly [number, string])[] = [
	[1e9, 's'],
	[1e6, 'ms'],
	[1e3, 'µs'],
	[1, 'ns'],
];

const unitOf = (ns: number): readonly [number, string] => {
	const a = Math.abs(ns);
	return units.find(u => a >= u[0]) ?? units[3]!;
};

/** Groups the digits before the point by three, as the terminal and the sentences of findings do: 12,345.6 */
export function grouped(n: number, digits = 0): string {
	const s = Math.abs(n).toFixed(digits);
	const dot = s.indexOf('.');
	const whole = dot < 0 ? s : s.slice(0, dot);
	const sign = n < 0 && Number(s) !== 0 ? '−' : '';
	return sign + whole.replace(/\B(?=(\d{3})+$)/g, ',') + (dot < 0 ? '' : s.slice(dot));
}

/** A length with three digits that matter: "1.32 ms", "418 ns", "2.5 s", "1 min 03 s". */
export function duration(ns: number): string {
	const a = Math.abs(ns);
	const sign = ns < 0 ? '−' : '';
	if (a >= 60e9) {
		const s = Math.round(a / 1e9);
		const h = Math.floor(s / 3600);
		const m = Math.floor((s % 3600) / 60);
		const two = (n: number): string => String(n).padStart(2, '0');
		return sign + (h > 0 ? `${h} h ${two(m)} min` : `${m} min ${two(s % 60)} s`);
	}
	if (a < 1)
		return a === 0 ? '0 ns' : `${sign}${Number(a.toPrecision(2))} ns`;
	let [size, name] = unitOf(ns);
	let v = Number((a / size).toPrecision(3));
	if (v >= 1000 && size < 1e9)
		[size, name, v] = [size * 1000, unitOf(size * 1000)[1], 1];
	return `${sign}${v} ${name}`;
}

/** A point in time with all its digits down to `res_ns`: "1.234 567 s", "13.8 ms". */
export function instant(ns: number, res_ns = 1): string {
	const unit = Math.abs(ns) >= 1e9 || res_ns >= 1e8 ? 1e9 : 1e6;
	const digits = Math.max(0, Math.min(Math.log10(unit), Math.ceil(-Math.log10(Math.max(res_ns, 1) / unit) - 1e-9)));
	const s = Math.abs(ns / unit).toFixed(digits);
	const dot = s.indexOf('.');
	const whole = dot < 0 ? s : s.slice(0, dot);
	const part = dot < 0 ? '' : s.slice(dot).replace(/(\d{3})(?=\d)/g, '$1\u2009');
	return `${ns < 0 && Number(s) !== 0 ? '−' : ''}${whole.replace(/\B(?=(\d{3})+$)/g, '\u2009')}${part} ${unit === 1e9 ? 's' : 'ms'}`;
}

export interface Tick {
	readonly t: number;
	/** 2: labelled, 1: medium, 0: minor */
	readonly rank: 0 | 1 | 2;
	readonly label: string;
}

export interface Axis {
	readonly step: number;
	readonly ticks: readonly Tick[];
	/** What the labels are relative to; 0 when they are whole times. */
	readonly origin: number;
}

const wide = [60e9, 120e9, 300e9, 600e9, 1800e9, 3600e9, 7200e9, 21600e9, 86400e9];

/** The smallest round step of at least `min_ns`, and into how many parts its minor ticks cut it. */
export function tickStep(min_ns: number): readonly [number, number] {
	if (min_ns <= 1)
		return [1, 1];
	if (min_ns > 30e9) {
		const w = wide.find(s => s >= min_ns) ?? Math.ceil(min_ns / 86400e9) * 86400e9;
		return [w, 6];
	}
	const p = 10 ** Math.floor(Math.log10(min_ns) + 1e-9);
	for (const m of [1, 2, 5, 10]) {
		const step = m * p;
		if (step >= min_ns * (1 - 1e-9))
			return step > 10e9 ? [30e9, 6] : [step, step < 10 ? step : m === 2 ? 4 : 10];
	}
	return [10 * p, 10];
}

const clock = (s: number): string => {
	const h = Math.floor(s / 3600);
	const m = Math.floor((s % 3600) / 60);
	const two = (n: number): string => String(n).padStart(2, '0');
	return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
};

/** Ticks of an axis that shows [t0, t1] on `width` px: labels at least `gap` px apart, whole nanoseconds only. */
export function axis(t0: number, t1: number, width: number, gap = 110): Axis {
	const span = Math.max(t1 - t0, 1e-3);
	const [step, parts] = tickStep((span / Math.max(width, 1)) * gap);
	const minor = step / parts;
	const last = Math.max(Math.abs(t0), Math.abs(t1));
	const [unit, name] = unitOf(Math.max(last, step));
	const digits = Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9));
	// Too many digits to tell one label from the next: say the common part once, at the left.
	const relative = digits > 4 && t0 > 0;
	const big = 10 ** Math.ceil(Math.log10(span) - 1e-9);
	const origin = relative ? Math.floor(t0 / big) * big : 0;
	const [runit, rname] = unitOf(relative ? Math.max(step, Math.min(big, t1 - origin) / 10) : 1);
	const rdigits = Math.max(0, Math.ceil(-Math.log10(step / runit) - 1e-9));
	const label = (t: number): string => {
		if (relative)
			return `+${((t - origin) / runit).toFixed(rdigits)} ${rname}`;
		if (step >= 30e9)
			return clock(Math.round(t / 1e9));
		return `${grouped(t / unit, digits)} ${name}`;
	};
	const ticks: Tick[] = [];
	const first = Math.ceil(t0 / minor - 1e-9);
	const end = Math.floor(t1 / minor + 1e-9);
	for (let k = first; k <= end && ticks.length < 4000; k++) {
		const t = k * minor;
		const major = k % parts === 0;
		const medium = !major && parts % 2 === 0 && k % (parts / 2) === 0;
		ticks.push({ t, rank: major ? 2 : medium ? 1 : 0, label: major ? label(t) : '' });
	}
	return { step, ticks, origin };
}

const sizes: Readonly<Record<string, number>> = { s: 1e9, ms: 1e6, us: 1e3, 'µs': 1e3, 'μs': 1e3, ns: 1, m: 60e9, min: 60e9 };

/** "1.2s", "+5ms", "350 µs" as ns; undefined when the text is no time.  A sign makes it relative to `from`. */
export function parseTime(text: string, from = 0): number | undefined {
	const m = /^\s*([+\-−]?)\s*(\d+(?:\.\d*)?|\.\d+)\s*(ns|us|µs|μs|ms|min|m|s)\s*$/i.exec(text.replace(/[\u2009 ]/g, ''));
	if (!m)
		return undefined;
	const v = exactScale(m[2]!, sizes[m[3]!.toLowerCase()]!);
	if (m[1] === '+')
		return from + v;
	return m[1] ? from - v : v;
}

/** Decimal text times a whole power of ten without rounding on the way. */
function exactScale(text: string, unit: number): number {
	const [whole = '0', part = ''] = text.split('.');
	let k = unit;
	let v = Number(whole || '0') * unit;
	for (const c of part) {
		k /= 10;
		v += Number(c) * k;
	}
	return unit === 1 ? v : Math.round(v * 1e6) / 1e6;
}

/** Seconds with every nanosecond: for links. */
export function exact(ns: number): string {
	const n = Math.round(ns);
	const a = Math.abs(n);
	const part = String(a % 1e9).padStart(9, '0').replace(/0+$/, '');
	return `${n < 0 ? '-' : ''}${Math.floor(a / 1e9)}${part ? `.${part}` : ''}s`;
}

/** "12.3 MB", powers of 1024 as Go's tools say them. */
export function bytes(n: number): string {
	const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
	let i = 0;
	let v = n;
	while (v >= 1024 && i < names.length - 1) {
		v /= 1024;
		i++;
	}
	return `${i === 0 ? v : Number(v.toPrecision(3))} ${names[i]}`;
}
