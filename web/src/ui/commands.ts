// Every command, once: the keyboard, the help, the palette and the buttons read this table.

import * as s from '../model/state';
import * as a from './actions';
import { hashNow } from './address';
import { explainSelection } from './answers/cause';

export interface Command {
	readonly id: string;
	readonly title: string;
	/** In tinykeys' spelling; several are alternatives.  The first is shown. */
	readonly keys: readonly string[];
	readonly section: 'Move' | 'Rows' | 'Select' | 'Find' | 'View';
	/** Held keys: called on each frame while the key is down, with the seconds that passed and how fast (Shift: 4). */
	readonly hold?: (seconds: number, speed: number) => void;
	readonly run?: () => void;
	readonly enabled?: () => boolean;
}

const zoom_rate = 3.2;  // halvings of the scale per second, at full speed
const pan_rate = 0.9;   // screens per second

const focusSearch = (text: string): void => {
	s.query.value = text;
	s.searchOpen.value = true;
	const el = document.getElementById('search') as HTMLInputElement | null;
	if (!el)
		return;
	el.value = text; // now, not with the next frame: the next key may come before it
	el.focus();
	if (text === '')
		el.select();
};

const zoom = (dir: 1 | -1) => (seconds: number, speed: number): void => a.zoomBy(2 ** (-dir * zoom_rate * seconds * speed));
const move = (dir: 1 | -1) => (seconds: number, speed: number): void => a.pan(dir * pan_rate * seconds * speed * s.size.peek().width);
const next = <T>(list: readonly T[], at: T): T => list[(list.indexOf(at) + 1) % list.length]!;

export const overlayTitle: Record<s.Overlay, string> = { both: 'collections and stops', stw: 'stops only', off: 'nothing' };

export const commands: readonly Command[] = [
	{ id: 'zoom-in', title: 'Zoom in', keys: ['w', 'W'], section: 'Move', hold: zoom(1) },
	{ id: 'zoom-out', title: 'Zoom out', keys: ['s', 'S'], section: 'Move', hold: zoom(-1) },
	{ id: 'pan-left', title: 'Pan left', keys: ['a', 'A'], section: 'Move', hold: move(-1) },
	{ id: 'pan-right', title: 'Pan right', keys: ['d', 'D'], section: 'Move', hold: move(1) },
	{ id: 'whole', title: 'Whole trace', keys: ['0', 'z'], section: 'Move', run: a.zoomWhole },
	{ id: 'fit', title: 'Fit the range or the selected span', keys: ['f'], section: 'Move', run: a.fitSelection },
	{ id: 'start', title: 'Start of the trace', keys: ['Home'], section: 'Move', run: a.toStart },
	{ id: 'end', title: 'End of the trace', keys: ['End'], section: 'Move', run: a.toEnd },
	{ id: 'undo', title: 'Back to the view before', keys: ['$mod+z', 'Alt+ArrowLeft'], section: 'Move', run: a.undo },
	{ id: 'redo', title: 'Forward again', keys: ['$mod+y', '$mod+Shift+z', 'Alt+ArrowRight'], section: 'Move', run: a.redo },

	{ id: 'row-down', title: 'Next row', keys: ['ArrowDown', 'j'], section: 'Rows', run: () => a.moveRow(1) },
	{ id: 'row-up', title: 'Previous row', keys: ['ArrowUp', 'k'], section: 'Rows', run: () => a.moveRow(-1) },
	{ id: 'page-down', title: 'A screen down', keys: ['PageDown'], section: 'Rows', run: () => a.moveRow(1, 20) },
	{ id: 'page-up', title: 'A screen up', keys: ['PageUp'], section: 'Rows', run: () => a.moveRow(-1, 20) },
	{ id: 'row-first', title: 'First row', keys: ['$mod+Home'], section: 'Rows', run: () => a.firstRow(false) },
	{ id: 'row-last', title: 'Last row', keys: ['$mod+End'], section: 'Rows', run: () => a.firstRow(true) },
	{ id: 'toggle', title: 'Open or close the group, select the span', keys: ['Enter', 'Space'], section: 'Rows', run: enter },
	{ id: 'pin', title: 'Pin the row at the top, or let it go', keys: ['Shift+p'], section: 'Rows', run: a.pinCurrent },
	{ id: 'lower', title: 'Lower lanes', keys: ['v'], section: 'Rows', run: () => a.cycleHeight(1) },
	{ id: 'higher', title: 'Higher lanes', keys: ['Shift+v'], section: 'Rows', run: () => a.cycleHeight(-1) },

	{ id: 'next-span', title: 'Next span of the lane', keys: ['ArrowRight'], section: 'Select', run: () => void a.stepSpan(1) },
	{ id: 'prev-span', title: 'Previous span of the lane', keys: ['ArrowLeft'], section: 'Select', run: () => void a.stepSpan(-1) },
	{ id: 'waker', title: 'Go to who woke it', keys: ['['], section: 'Select', run: () => void a.toWaker(), enabled: () => s.selection.value !== null },
	{ id: 'woken', title: 'Go back to whom it woke', keys: [']'], section: 'Select', run: () => void a.toWoken(), enabled: a.canGoBack },
	{ id: 'range', title: 'Selected span as range', keys: ['r'], section: 'Select', run: a.rangeFromSpan, enabled: () => s.selection.value !== null },
	{ id: 'why', title: 'Why the selected span took so long', keys: ['y'], section: 'Select', run: explainSelection, enabled: () => s.selection.value !== null },
	{ id: 'escape', title: 'Back out: close, deselect', keys: ['Escape'], section: 'Select', run: escape },

	{ id: 'search', title: 'Search goroutines, functions and messages', keys: ['/', '$mod+f'], section: 'Find', run: () => focusSearch('') },
	{ id: 'palette', title: 'Find a command', keys: ['$mod+k', ':'], section: 'Find', run: () => focusSearch('>') },
	{ id: 'goto', title: 'Go to a goroutine or time', keys: ['g'], section: 'Find', run: () => focusSearch('') },
	{ id: 'next-hit', title: 'Next search result', keys: ['n'], section: 'Find', run: () => a.goToHit(s.hitAt.peek() + 1), enabled: () => (s.hits.value?.list.length ?? 0) > 0 },
	{ id: 'prev-hit', title: 'Previous search result', keys: ['Shift+n'], section: 'Find', run: () => a.goToHit(s.hitAt.peek() - 1), enabled: () => (s.hits.value?.list.length ?? 0) > 0 },

	{ id: 'drawer', title: 'Details: open or close', keys: ['q'], section: 'View', run: () => { s.drawer.value = { ...s.drawer.peek(), open: !s.drawer.peek().open }; } },
	{ id: 'findings', title: 'Findings: what is odd, worst first', keys: ['i'], section: 'View', run: () => a.openDrawer('findings') },
	{ id: 'goroutines', title: 'Goroutines: where each spent its time', keys: ['x'], section: 'View', run: () => a.openDrawer('goroutines') },
	{ id: 'profile', title: 'Profiles: where time went', keys: ['p'], section: 'View', run: () => a.openDrawer('profile') },
	{ id: 'latency', title: 'Latency: requests, tasks, regions', keys: ['l'], section: 'View', run: () => a.openDrawer('latency') },
	{ id: 'collections', title: 'Collections: what they leave to the program', keys: ['c'], section: 'View', run: () => a.openDrawer('gc') },
	{ id: 'objects', title: 'Waits: channels and locks, who held them, deadlocks', keys: ['b'], section: 'View', run: () => a.openDrawer('objects') },
	{ id: 'overlay', title: 'Collections and stops across the lanes: both, stops, none', keys: ['o'], section: 'View', run: () => { s.overlay.value = next(['both', 'stw', 'off'] as const, s.overlay.peek()); a.tell(`Across the lanes: ${overlayTitle[s.overlay.peek()]}`); } },
	{ id: 'theme', title: 'Light, dark, or as the system', keys: ['t'], section: 'View', run: () => { s.themeChoice.value = next(['auto', 'light', 'dark'] as const, s.themeChoice.peek()); } },
	{ id: 'link', title: 'Copy a link to this view', keys: ['$mod+Shift+c'], section: 'View', run: copyLink },
	{ id: 'help', title: 'Keys and mouse', keys: ['?'], section: 'View', run: () => { s.help.value = !s.help.peek(); } },
];

export const command = (id: string): Command => {
	const c = commands.find(x => x.id === id);
	if (!c)
		throw new Error(`no command ${id}`);
	return c;
};

/** Runs a command as if its key had been pressed; a held one for a quarter of a second. */
export function invoke(c: Command): void {
	if (c.enabled && !c.enabled())
		return;
	if (c.hold)
		c.hold(0.25, 1);
	else
		c.run?.();
}

function enter(): void {
	const r = s.rowOf(s.current.peek());
	if (!r)
		return;
	const sec = s.sections.peek()[r.section]!;
	if (r.index < 0) {
		a.toggle(sec);
		a.say(`${sec.title} ${sec.open ? 'closed' : 'opened'}`);
	} else {
		void a.stepSpan(1);
	}
}

function escape(): void {
	if (s.help.peek())
		s.help.value = false;
	else if (s.searchOpen.peek())
		s.searchOpen.value = false;
	else if (s.range.peek()) {
		s.range.value = null;
		if (s.drawer.peek().tab === 'range')
			s.drawer.value = { ...s.drawer.peek(), tab: 'selection' };
	} else if (s.selection.peek())
		a.clearSelection();
	else if (s.drawer.peek().open)
		s.drawer.value = { ...s.drawer.peek(), open: false };
	else if (s.hits.peek()) {
		s.hits.value = null;
		s.query.value = '';
	}
}

function copyLink(): void {
	const link = location.origin + location.pathname + location.search + hashNow();
	a.copy(link, 'Link copied');
}

const mac = /Mac|iPod|iPhone|iPad/.test(navigator.platform);
const keyNames: Readonly<Record<string, string>> = {
	$mod: mac ? '⌘' : 'Ctrl', ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc', PageUp: 'PgUp', PageDown: 'PgDn',
};

/** A key as a person reads it: "Ctrl+Z". */
export const keyText = (key: string): string =>
	key.split(/(?<=.)\+/).map(k => keyNames[k] ?? (k.length === 1 ? k.toUpperCase() : k)).join('+');

/** Its key, or '' : for tooltips. */
export const hint = (id: string): string => {
	const c = command(id);
	return c.keys[0] ? `${c.title} (${keyText(c.keys[0])})` : c.title;
};
