// What garbage collection leaves to the program, over windows of any length, and when it left least.

import { useState } from 'preact/hooks';

import { duration, instant } from '../../base/time';
import { question, type Lost, type Mmu, type MmuPoint } from '../../model/answers';
import * as s from '../../model/state';
import * as a from '../actions';
import { finest } from '../facts';
import { ScopeBar, Terminal, useAnswer, useScope } from './scope';

const flags: readonly (readonly [number, keyof Lost, string, string])[] = [
	[1, 'stw', 'stops of the world', 'stw'], [2, 'background', 'background marking', 'background'], [4, 'assist', 'assists', 'assist'], [8, 'sweep', 'sweeping', 'sweep'],
];
const lines: readonly (readonly [keyof MmuPoint, string, string])[] = [
	['mmu', 'the worst window', 'l0'], ['p0_1', '0.1 % of windows', 'l1'], ['p1', '1 %', 'l2'], ['p5', '5 %', 'l3'],
];
const windows: readonly number[] = [1e5, 1e6, 1e7, 1e8, 1e9];

const percent = (x: number): string => `${(x * 100).toFixed(x > 0 && x < 0.0995 ? 2 : 1)} %`;

export function Collections(): preact.JSX.Element {
	const [mask, setMask] = useState(7);
	const [per, setPer] = useState(false);
	const [window_ns, setWindow] = useState(1e7);
	const { range } = useScope();
	const { value, busy, error } = useAnswer<Mmu>(question('mmu', { flags: mask, per: per ? 1 : '', window: window_ns, range }));
	const named = flags.filter(f => mask & f[0]).map(f => f[3]).join(',') || 'none';
	return (
		<div class="answer">
			<ScopeBar filtered={false} busy={busy} first={!value} error={error}>
				<span>Lost to:</span>
				{flags.map(([bit, id, title]) => <label key={id} class="check"><input type="checkbox" checked={(mask & bit) !== 0} onChange={e => setMask(e.currentTarget.checked ? mask | bit : mask & ~bit)} /> {title}</label>)}
				<label class="check"><input type="checkbox" checked={per} onChange={e => setPer(e.currentTarget.checked)} /> each proc by itself</label>
			</ScopeBar>
			{value && (value.series === 0 ? <p class="hint">The trace does not say how many procs there are.</p> : <Left v={value} window_ns={window_ns} setWindow={setWindow} />)}
			<Terminal command={`mmu --flags=${named}${per ? ' --per-goroutine' : ''}`} range={range} />
		</div>
	);
}

function Left({ v, window_ns, setWindow }: { v: Mmu; window_ns: number; setWindow: (ns: number) => void }): preact.JSX.Element {
	const n = s.info.value?.gc_count ?? 0;
	const parts = flags.filter(f => v.lost[f[1]] > 0).map(f => `${f[2]} took ${percent(v.lost[f[1]])}`);
	return (
		<>
			<p class="sum"><b>{percent(v.left)}</b> of the procs' time is left to the program{parts.length > 0 ? `; ${parts.join(', ')}` : ''}. {n === 0 && 'There was no collection.'}</p>
			<div class="pair">
				<Curve list={v.curve} />
				<div class="table-box" tabIndex={0} role="region" aria-label="The worst windows">
					<table class="grid">
						<caption>The worst windows of <select aria-label="Length of the windows" value={String(window_ns)} onChange={e => setWindow(Number(e.currentTarget.value))}>
							{windows.map(w => <option key={w} value={String(w)}>{duration(w)}</option>)}</select></caption>
						<thead><tr><th scope="col">left</th><th scope="col" class="wide">begins</th>{flags.map(f => <th key={f[1]} scope="col">{f[2]}</th>)}</tr></thead>
						<tbody>{v.worst.map(w => (
							<tr key={w.start_ns}><td>{percent(w.left)}</td>
								<td class="wide"><button type="button" class="pick time" title="Show it in the lanes" onClick={() => a.showRange(w.start_ns, w.end_ns)}>{instant(w.start_ns, finest(v.window_ns))}</button></td>
								{flags.map(f => <td key={f[1]}>{w.lost[f[1]] > 0 ? percent(w.lost[f[1]]) : ''}</td>)}</tr>
						))}</tbody>
					</table>
				</div>
			</div>
		</>
	);
}

const plot = { w: 560, h: 170, left: 44, bottom: 22, top: 8, right: 8 };

/** Utilization over the length of the window, on a logarithmic scale. */
function Curve({ list }: { list: readonly MmuPoint[] }): preact.JSX.Element | null {
	const first = list[0];
	const end = list[list.length - 1];
	if (!first || !end || end.window_ns <= first.window_ns)
		return null;
	const lo = Math.log10(first.window_ns);
	const hi = Math.log10(end.window_ns);
	const x = (ns: number): number => plot.left + ((Math.log10(ns) - lo) / (hi - lo)) * (plot.w - plot.left - plot.right);
	const y = (u: number): number => plot.top + (1 - u) * (plot.h - plot.top - plot.bottom);
	const path = (k: keyof MmuPoint): string => list.map((p, i) => `${i ? 'L' : 'M'}${x(p.window_ns).toFixed(1)} ${y(p[k]).toFixed(1)}`).join('');
	const decades: number[] = [];
	for (let d = Math.ceil(lo); d <= hi; d++)
		decades.push(10 ** d);
	const at = (ns: number): MmuPoint => list.reduce((best, p) => (Math.abs(Math.log(p.window_ns / ns)) < Math.abs(Math.log(best.window_ns / ns)) ? p : best), first);
	return (
		<figure class="curve">
			<svg viewBox={`0 0 ${plot.w} ${plot.h}`} role="img" aria-label={`Least share of time left to the program: ${decades.map(d => `${percent(at(d).mmu)} in windows of ${duration(d)}`).join(', ')}`}>
				{[0, 0.25, 0.5, 0.75, 1].map(u => <g key={u}><line class="rule" x1={plot.left} x2={plot.w - plot.right} y1={y(u)} y2={y(u)} /><text x={plot.left - 6} y={y(u) + 4} text-anchor="end">{u * 100} %</text></g>)}
				{decades.map(d => <g key={d}><line class="rule" x1={x(d)} x2={x(d)} y1={plot.top} y2={plot.h - plot.bottom} /><text x={x(d)} y={plot.h - 6} text-anchor="middle">{duration(d)}</text></g>)}
				{[...lines].reverse().map(([k, , cls]) => <path key={k} class={cls} d={path(k)} />)}
			</svg>
			<figcaption>Left to the program, at least, in a window of that length: {lines.map(([k, title, cls]) => <span key={k} class="key"><i class={cls} aria-hidden="true" />{title}</span>)}</figcaption>
		</figure>
	);
}
