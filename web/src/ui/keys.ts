// The keyboard: looks keys up in the table of commands.

import { tinykeys } from 'tinykeys';

import * as s from '../model/state';
import { commands, type Command } from './commands';

const isText = (e: KeyboardEvent): boolean => {
	const t = e.target;
	return t instanceof HTMLElement && (t.isContentEditable || t.matches('input, select, textarea'));
};

/** On a button or a link these keys belong to it; in the drawer the arrows scroll. */
function belongsElsewhere(e: KeyboardEvent): boolean {
	const t = e.target;
	if (!(t instanceof HTMLElement))
		return false;
	if ((e.key === 'Enter' || e.key === ' ') && t.closest('button, a, [role=option], [role=tab], summary'))
		return true;
	if (t.closest('[role=tablist], [role=separator]') && /^(Arrow|Home$|End$)/.test(e.key))
		return true;
	if (t.closest('[role=tree]') && (e.key === 'ArrowLeft' || e.key === 'ArrowRight') && !e.altKey)
		return true;
	return t.closest('.drawer-body, dialog') !== null && /^(Arrow(Up|Down)|Page|Home$|End$)/.test(e.key) && !e.ctrlKey && !e.metaKey;
}

const single = (key: string): boolean => /^(Shift\+)?.$/.test(key);

export function bindKeys(): () => void {
	const map: Record<string, (e: KeyboardEvent) => void> = {};
	for (const c of commands)
		if (c.run)
			for (const k of c.keys)
				map[spelling(k)] = e => fire(c, k, e);
	const off = tinykeys(window, map);
	const offHeld = bindHeld();
	return () => {
		off();
		offHeld();
	};
}

/** tinykeys compares event.key: with Shift held, "?" and ":" arrive as such on any layout. */
const spelling = (k: string): string => (k === '?' ? 'Shift+?' : k === ':' ? 'Shift+:' : k);

function fire(c: Command, key: string, e: KeyboardEvent): void {
	if (e.defaultPrevented || (isText(e) && key !== 'Escape' && !key.startsWith('$mod')) || belongsElsewhere(e))
		return;
	if (isText(e) && /^\$mod\+(Shift\+)?[zy]$|Home|End/.test(key))
		return;
	if (single(key) && !s.singleKeys.peek())
		return;
	if (s.help.peek() && c.id !== 'help' && c.id !== 'escape')
		return;
	if (c.enabled && !c.enabled())
		return;
	e.preventDefault();
	c.run?.();
}

/** Keys that act while they are down: they ease in, and stop when they are let go. */
function bindHeld(): () => void {
	const down = new Map<string, { readonly c: Command; readonly since: number }>();
	let fast = false;
	let frame = 0;
	let last = 0;
	const tick = (now: number): void => {
		const dt = Math.min(0.05, (now - last) / 1000);
		last = now;
		for (const { c, since } of down.values())
			c.hold!(dt, (fast ? 4 : 1) * (0.35 + 0.65 * Math.min(1, (now - since) / 250)));
		if (down.size > 0)
			frame = requestAnimationFrame(tick);
	};
	const find = (e: KeyboardEvent): Command | undefined =>
		(e.ctrlKey || e.metaKey || e.altKey ? undefined : commands.find(c => c.hold && c.keys.includes(e.key)));
	const onDown = (e: KeyboardEvent): void => {
		fast = e.shiftKey;
		const c = find(e);
		if (!c?.hold || isText(e) || !s.singleKeys.peek() || s.help.peek() || e.defaultPrevented)
			return;
		e.preventDefault();
		if (down.has(e.code))
			return;
		if (s.calm.peek()) {
			c.hold(0.12, fast ? 4 : 1); // steps instead of motion
			return;
		}
		c.hold(0.03, fast ? 4 : 1);
		down.set(e.code, { c, since: performance.now() });
		if (down.size === 1) {
			last = performance.now();
			frame = requestAnimationFrame(tick);
		}
	};
	const onUp = (e: KeyboardEvent): void => {
		fast = e.shiftKey;
		down.delete(e.code);
	};
	const stop = (): void => down.clear();
	window.addEventListener('keydown', onDown);
	window.addEventListener('keyup', onUp);
	window.addEventListener('blur', stop);
	return () => {
		cancelAnimationFrame(frame);
		window.removeEventListener('keydown', onDown);
		window.removeEventListener('keyup', onUp);
		window.removeEventListener('blur', stop);
	};
}
