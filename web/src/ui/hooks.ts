// Signals in components: one hook.

import { effect, type ReadonlySignal } from '@preact/signals-core';
import { useEffect, useReducer } from 'preact/hooks';

/** Draws the component again when any of the signals changes, at most once a frame. */
export function useSignals(...list: readonly ReadonlySignal<unknown>[]): void {
	const [, again] = useReducer<number, void>(n => n + 1, 0);
	useEffect(() => {
		let frame = 0;
		let first = true;
		const stop = effect(() => {
			for (const x of list)
				void x.value;
			if (first) {
				first = false;
				return;
			}
			if (frame === 0)
				frame = requestAnimationFrame(() => {
					frame = 0;
					again();
				});
		});
		// What changed between drawing and listening.
		again();
		return () => {
			stop();
			cancelAnimationFrame(frame);
		};
	}, []);
}
