// The little of node that the tests use.
declare module 'node:test' {
	export function test(name: string, f: () => void | Promise<void>): void;
}
declare module 'node:assert/strict' {
	interface Assert {
		(value: unknown, message?: string): asserts value;
		equal(a: unknown, b: unknown, message?: string): void;
		notEqual(a: unknown, b: unknown, message?: string): void;
		deepEqual(a: unknown, b: unknown, message?: string): void;
		throws(f: () => unknown, e?: RegExp): void;
	}
	const assert: Assert;
	export default assert;
}
