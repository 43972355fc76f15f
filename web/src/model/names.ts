// Names of functions and goroutines.

import type { RowName } from './api';

/** A function's name as its package with the dot, and the rest: "net/http." and "(*conn).serve". */
export function splitFunc(name: string): readonly [string, string] {
	const slash = name.lastIndexOf('/');
	const dot = name.indexOf('.', slash + 1);
	return dot < 0 ? ['', name] : [name.slice(0, dot + 1), name.slice(dot + 1)];
}

/** Without the path of its package: "http.(*conn).serve". */
export const shortFunc = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

export const goroutineTitle = (id: number, name: string): string => (name ? `g${id} ${shortFunc(name)}` : `g${id}`);

/** What the `ref` of a run means; asked in batches, kept. */
export class RowNames {
	#known = new Map<number, RowName | null>();
	#ask = new Set<number>();
	#timer = false;

	constructor(
		private readonly load: (rows: readonly number[]) => Promise<readonly RowName[]>,
		private readonly arrived: () => void,
		private readonly failed: (e: unknown) => void,
	) {}

	/** The goroutine of a row; undefined while it is being asked for. */
	get(row: number): RowName | undefined {
		const k = this.#known.get(row);
		if (k === undefined) {
			this.#known.set(row, null);
			this.#ask.add(row);
			if (!this.#timer) {
				this.#timer = true;
				setTimeout(() => this.#send(), 20);
			}
		}
		return k ?? undefined;
	}

	#send(): void {
		this.#timer = false;
		const rows = [...this.#ask].slice(0, 1000);
		for (const r of rows)
			this.#ask.delete(r);
		this.load(rows).then(got => {
			for (const g of got)
				this.#known.set(g.row, g);
			this.arrived();
		}, (e: unknown) => {
			setTimeout(() => {
				for (const r of rows)
					this.#known.delete(r);
				this.arrived();
			}, 2000);
			this.failed(e);
		});
		if (this.#ask.size > 0) {
			this.#timer = true;
			setTimeout(() => this.#send(), 20);
		}
	}
}
