// What details are made of: links, functions, stacks, tables of times.

import { duration, instant } from '../base/time';
import type { Frame } from '../model/api';
import { shortFunc, splitFunc } from '../model/names';
import * as a from './actions';

/** Blue: an object.  A click goes there. */
export function LaneLink({ lane, text, t, select }: { lane: string; text: string; t?: number; select?: boolean }): preact.JSX.Element {
	return <a class="link" href={`#sel=${lane}`} title={`Go to ${lane}`} onClick={e => {
		e.preventDefault();
		void a.showLane(lane, t, select ?? false);
	}}>{text}</a>;
}

/** Red: a time. */
export function TimeLink({ t, res }: { t: number; res: number }): preact.JSX.Element {
	return <a class="time" href="#" title="Centre the view here" onClick={e => {
		e.preventDefault();
		a.goTo({ t0: t - a.destination().scale * a.limits().width / 2, scale: a.destination().scale });
	}}>{instant(t, res)}</a>;
}

export const finest = (ns: number): number => Math.max(1, 10 ** Math.floor(Math.log10(Math.max(ns, 1)) - 3));

export function Func({ name }: { name: string }): preact.JSX.Element {
	const [pkg, rest] = splitFunc(name);
	return <span class="func" title={name}><span class="pkg">{pkg}</span>{rest}</span>;
}

/** As Go prints stacks, for a message to somebody. */
export const stackText = (frames: readonly Frame[]): string => frames.map(f => `${f.func}(...)\n\t${f.file}:${f.line}\n`).join('');

export function Stack({ frames, none }: { frames: readonly Frame[]; none: string }): preact.JSX.Element {
	if (frames.length === 0)
		return <p class="hint">{none}</p>;
	return (
		<div class="stack-host">
			<ol class="stack">
				{frames.map((f, i) => (
					<li key={i} title={`${f.func}\n${f.file}:${f.line}${f.pc ? `\npc ${f.pc}` : ''}`}>
						<Func name={f.func} /> <span class="src">{shortFunc(f.file)}:{f.line}</span>
					</li>
				))}
			</ol>
			<button type="button" class="icon copy" title="Copy the stack" aria-label="Copy the stack" onClick={() => a.copy(stackText(frames), 'Stack copied')}>
				<svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true"><path d="M5.5 5.5h8v8h-8ZM10.500 5.500v-3h-8v8h3" /></svg>
			</button>
		</div>
	);
}

export function Times({ rows, total, caption, note }: { rows: readonly (readonly [string, number, number])[]; total: number; caption: string; note?: string }): preact.JSX.Element {
	return (
		<table class="times">
			<caption>{caption}</caption>
			<thead><tr><th scope="col">state</th><th scope="col">time</th><th scope="col">share</th><th scope="col"><span class="sr">bar</span></th></tr></thead>
			<tbody>
				{rows.filter(r => r[1] > 0).map(([name, ns, cls]) => (
					<tr key={name}>
						<th scope="row"><i class={`swatch k${cls}`} aria-hidden="true" />{name}</th>
						<td>{duration(ns)}</td>
						<td>{total > 0 ? `${((ns / total) * 100).toFixed(1)} %` : ''}</td>
						<td class="bar"><i class={`k${cls}`} style={{ width: `${total > 0 ? Math.max(0.5, (ns / total) * 100) : 0}%` }} /></td>
					</tr>
				))}
			</tbody>
			{note && <tfoot><tr><td colSpan={4}>{note}</td></tr></tfoot>}
		</table>
	);
}
