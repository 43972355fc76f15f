declare module '*.css';

// The package has types but does not export them.
declare module 'tinykeys' {
	export function tinykeys(target: Window | HTMLElement, map: Readonly<Record<string, (e: KeyboardEvent) => void>>): () => void;
}
