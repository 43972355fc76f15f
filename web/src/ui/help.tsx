// All keys, from the table of commands, and what the mouse does.

import { useEffect, useRef, useState } from 'preact/hooks';

import * as s from '../model/state';
import { commands, keyText } from './commands';
import { useSignals } from './hooks';

const mouse: readonly (readonly [string, string])[] = [
	['wheel', 'scroll the lanes; over axis, counters and overview, or when all lanes fit: zoom'],
	['Ctrl + wheel, pinch', 'zoom at the cursor'],
	['Shift + wheel', 'pan'],
	['drag', 'pan'],
	['Shift + drag, or drag on the axis', 'select a range of time'],
	['Ctrl + drag', 'zoom to what is dragged over'],
	['click', 'details of a span; opens and closes groups at their name'],
	['pin beside a name', 'keep the row at the top'],
	['double click', 'zoom to the span'],
	['drag in the overview', 'choose, move or resize what is seen'],
];

export function Help(): preact.JSX.Element | null {
	useSignals(s.help, s.singleKeys);
	const dialog = useRef<HTMLDialogElement>(null);
	const [filter, setFilter] = useState('');
	const on = s.help.value;
	useEffect(() => {
		if (on && !dialog.current?.open)
			dialog.current?.showModal();
	}, [on]);
	if (!on)
		return null;
	const close = (): void => {
		dialog.current?.close();
		s.help.value = false;
	};
	const low = filter.toLowerCase();
	const fits = (...t: readonly string[]): boolean => t.some(x => x.toLowerCase().includes(low));
	const sections = ['Move', 'Rows', 'Select', 'Find', 'View'] as const;
	return (
		<dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={close} onCancel={close}
			onClick={e => { if (e.target === dialog.current) close(); }}>
			<div class="help-head">
				<h2 id="help-title">Keys and mouse</h2>
				<input type="text" placeholder="Filter" aria-label="Filter the keys" value={filter} onInput={e => setFilter(e.currentTarget.value)} />
				<button type="button" class="icon" aria-label="Close" onClick={close}><svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true"><path d="M3 3l10 10M13 3L3 13" /></svg></button>
			</div>
			<div class="help-body" tabIndex={0} role="group" aria-label="List of keys">
				{sections.map(sec => {
					const list = commands.filter(c => c.section === sec && fits(c.title, ...c.keys.map(keyText)));
					return list.length > 0 && (
						<section key={sec}>
							<h3>{sec}</h3>
							<dl>{list.map(c => <div key={c.id}><dt>{[...new Set(c.keys.map(keyText))].map(k => <kbd key={k}>{k}</kbd>)}</dt><dd>{c.title}</dd></div>)}</dl>
						</section>
					);
				})}
				{mouse.some(m => fits(...m)) && <section class="help-mouse">
					<h3>Mouse</h3>
					<dl>{mouse.filter(m => fits(...m)).map(([what, does]) => <div key={what}><dt>{what}</dt><dd>{does}</dd></div>)}</dl>
				</section>}
			</div>
			<p class="help-foot">
				<label><input type="checkbox" checked={s.singleKeys.value} onChange={e => { s.singleKeys.value = e.currentTarget.checked; }} /> Keys of a single letter act</label>
				<span class="dim">Shift with W A S D is four times as fast.</span>
			</p>
		</dialog>
	);
}
