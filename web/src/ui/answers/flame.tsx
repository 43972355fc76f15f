// A flame graph of elements: callers above, callees below; each can be read, reached with the arrow keys and opened.

import { useEffect, useRef, useState } from 'preact/hooks';

import { grouped } from '../../base/time';
import { callTree, cells, sameCall, type Call, type Cell } from '../../model/flame';
import { shortFunc } from '../../model/names';

const row_px = 19;
const least_px = 2;
const named_px = 28;
const tints = 5;

/** Functions of one package look alike. */
function tint(name: string): number {
	const slash = name.lastIndexOf('/');
	const dot = name.indexOf('.', slash + 1);
	const pkg = dot < 0 ? name : name.slice(0, dot);
	let h = 0;
	for (let i = 0; i < pkg.length; i++)
		h = (h * 31 + pkg.charCodeAt(i)) >>> 0;
	return h % tints;
}

export function Flame({ tree, weight, what }: { tree: ReturnType<typeof callTree>; weight: (n: number) => string; what: string }): preact.JSX.Element {
	const box = useRef<HTMLDivElement>(null);
	const [width, setWidth] = useState(800);
	const [focus, setFocus] = useState<Call>(tree);
	const [at, setAt] = useState<Call>(tree);
	useEffect(() => {
		const el = box.current!;
		const watch = new ResizeObserver(() => setWidth(Math.max(1, el.clientWidth)));
		watch.observe(el);
		return () => watch.disconnect();
	}, []);
	const root = focusRoot(focus) === tree ? focus : sameCall(tree, focus);
	const list = cells(root, least_px / width);
	const here = list.find(c => c.call === at) ?? list[root.depth]!;
	const rows = list.reduce((n, c) => Math.max(n, c.row + 1), 1);

	const open = (c: Call): void => {
		setFocus(c);
		setAt(c);
	};
	const move = (c: Cell | undefined): void => {
		if (!c)
			return;
		setAt(c.call);
		box.current?.querySelector<HTMLElement>(`[data-cell="${list.indexOf(c)}"]`)?.focus();
	};
	const key = (e: KeyboardEvent): void => {
		if (e.altKey || e.ctrlKey || e.metaKey)
			return;
		const row = list.filter(c => c.row === here.row);
		const i = row.indexOf(here);
		const acts: Readonly<Record<string, () => void>> = {
			ArrowLeft: () => move(row[i - 1]),
			ArrowRight: () => move(row[i + 1]),
			ArrowUp: () => move(list.find(c => c.call === here.call.parent)),
			ArrowDown: () => move(list.find(c => c.call.parent === here.call)),
			Home: () => move(list[0]),
			Enter: () => open(here.call),
			' ': () => open(here.call),
			Backspace: () => open(root.parent ?? root),
		};
		const act = acts[e.key] ?? (e.key === 'Escape' && root !== tree ? () => open(tree) : undefined);
		if (!act)
			return;
		e.preventDefault();
		e.stopPropagation();
		act();
	};
	const share = (c: Call): string => `${((c.total / tree.total) * 100).toFixed(1)} %`;
	return (
		<div class="flame" role="group" aria-label="Flame graph: arrow keys move, Enter opens, Backspace goes up, Escape shows all" onKeyDown={key}>
			<div class="flame-box" ref={box} style={{ height: `${rows * row_px}px` }}>
				{list.map((c, i) => {
					const name = c.call.parent ? c.call.name || '(no stack)' : 'all';
					const count = `${grouped(c.call.count)} ${what}`;
					return (
						<button key={i} type="button" data-cell={i} tabIndex={c === here ? 0 : -1} class={`cell-call t${tint(name)}${c.row < root.depth ? ' above' : ''}`}
							style={{ left: `${c.x * 100}%`, width: `${c.w * 100}%`, top: `${c.row * row_px}px` }}
							aria-label={`${name}, ${weight(c.call.total)}, ${share(c.call)}`}
							title={`${name}\n${weight(c.call.total)}, ${share(c.call)} of all, ${count}${c.call.self > 0 && c.call.calls.size > 0 ? `\nitself ${weight(c.call.self)}` : ''}`}
							onClick={() => open(c.call)}>
							{c.w * width >= named_px ? (c.call.parent ? shortFunc(name) : `all ${weight(tree.total)}`) : ''}
						</button>
					);
				})}
			</div>
		</div>
	);
}

function focusRoot(c: Call): Call {
	let at = c;
	while (at.parent)
		at = at.parent;
	return at;
}
