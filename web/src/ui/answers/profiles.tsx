// Where time went, by stack: a flame graph and the functions of a profile.

import { useRef, useState } from 'preact/hooks';

import { duration, grouped } from '../../base/time';
import { profileKind, question, type Profile, type ProfileFunction } from '../../model/answers';
import { callTree } from '../../model/flame';
import { Func } from '../facts';
import { useSignals } from '../hooks';
import { Flame } from './flame';
import { ScopeBar, Terminal, useAnswer, useScope } from './scope';

interface Kind {
	readonly id: string;
	readonly title: string;
	readonly what: string; // that is counted
	readonly timed: boolean;
	readonly none: string;
}

const kinds: readonly Kind[] = [
	{ id: 'sched', title: 'Scheduler delay', what: 'waits', timed: true, none: 'Nobody waited for a proc.' },
	{ id: 'sync', title: 'Blocked: channels, locks', what: 'waits', timed: true, none: 'Nobody was blocked.' },
	{ id: 'net', title: 'Blocked: network', what: 'waits', timed: true, none: 'Nobody waited for the network.' },
	{ id: 'syscall', title: 'In system calls', what: 'calls', timed: true, none: 'No system call blocked.' },
	{ id: 'offcpu', title: 'Not running, whatever the reason', what: 'waits', timed: true, none: 'Everybody ran all the time.' },
	{ id: 'offwake', title: 'Blocked, with who woke it', what: 'waits', timed: true, none: 'Nobody was woken.' },
	{ id: 'alone', title: 'Running alone', what: 'spans', timed: true, none: 'No goroutine ran alone.' },
	{ id: 'cpu', title: 'CPU samples', what: 'samples', timed: false, none: 'No CPU samples: the CPU profiler did not run beside the trace.' },
	{ id: 'create', title: 'Goroutines created', what: 'goroutines', timed: false, none: 'No goroutine was created.' },
];

const stacks_most = 5000;
const functions_shown = 200;

export function Profiles(): preact.JSX.Element {
	useSignals(profileKind);
	const kind = kinds.find(k => k.id === profileKind.value) ?? kinds[0]!;
	const [upside, setUpside] = useState(false);
	const { range, filter } = useScope();
	const { value, busy, error } = useAnswer<Profile>(question('profile', { kind: kind.id, range, filter, n: stacks_most }));
	return (
		<div class="answer">
			<ScopeBar filtered busy={busy} first={!value} error={error}>
				<select aria-label="Profile" value={kind.id} onChange={e => { profileKind.value = e.currentTarget.value; }}>
					{kinds.map(k => <option key={k.id} value={k.id}>{k.title}</option>)}
				</select>
				<label class="check"><input type="checkbox" checked={upside} onChange={e => setUpside(e.currentTarget.checked)} /> by innermost function</label>
			</ScopeBar>
			{value && (value.count === 0 ? <p class="hint">{kind.none}</p> : <Picture kind={kind} profile={value} upside={upside} />)}
			<Terminal command={`profile ${kind.id}`} range={range} filter={filter} />
		</div>
	);
}

function Picture({ kind, profile, upside }: { kind: Kind; profile: Profile; upside: boolean }): preact.JSX.Element {
	const kept = useRef<{ readonly of: Profile; readonly upside: boolean; readonly tree: ReturnType<typeof callTree> } | null>(null);
	if (kept.current?.of !== profile || kept.current.upside !== upside)
		kept.current = { of: profile, upside, tree: callTree(profile.stacks, upside) };
	const timed = profile.ns > 0;
	const weight = (n: number): string => (timed ? duration(n) : `${grouped(n)} ${kind.what}`);
	return (
		<>
			<p class="sum"><b>{timed ? duration(profile.ns) : grouped(profile.count)}</b> {timed ? <>in {grouped(profile.count)} {kind.what}</> : kind.what}, {grouped(profile.n_stacks)} stacks
				{profile.n_stacks > profile.stacks.length && <span class="dim">; the {grouped(profile.stacks.length)} with most are drawn</span>}</p>
			<div class="profile">
				<Flame tree={kept.current.tree} weight={weight} what={kind.what} />
				<Functions list={profile.functions.slice(0, functions_shown)} timed={timed} total={timed ? profile.ns : profile.count} />
			</div>
		</>
	);
}

function Functions({ list, timed, total }: { list: readonly ProfileFunction[]; timed: boolean; total: number }): preact.JSX.Element {
	const [by, setBy] = useState<'flat' | 'cum'>('flat');
	const flat = (f: ProfileFunction): number => (timed ? f.flat_ns : f.flat_count);
	const cum = (f: ProfileFunction): number => (timed ? f.cum_ns : f.cum_count);
	const text = (n: number): string => (timed ? duration(n) : grouped(n));
	const key = by === 'flat' ? flat : cum;
	const rows = [...list].sort((x, y) => key(y) - key(x));
	const head = (id: 'flat' | 'cum', title: string, help: string): preact.JSX.Element => (
		<th scope="col" aria-sort={by === id ? 'descending' : 'none'}><button type="button" class="sort" title={help} onClick={() => setBy(id)}>{title}{by === id ? ' ↓' : ''}</button></th>
	);
	return (
		<div class="table-box" tabIndex={0} role="region" aria-label="Functions">
			<table class="grid">
				<thead><tr>{head('flat', 'itself', 'Where it is the innermost function')}{head('cum', 'with callees', 'Where it is anywhere on the stack')}<th scope="col">share</th><th scope="col" class="wide">function</th></tr></thead>
				<tbody>{rows.map(f => (
					<tr key={f.name}><td>{flat(f) > 0 ? text(flat(f)) : ''}</td><td>{text(cum(f))}</td><td>{total > 0 ? `${((key(f) / total) * 100).toFixed(1)} %` : ''}</td>
						<th scope="row" class="wide"><Func name={f.name || '(no stack)'} /></th></tr>
				))}</tbody>
			</table>
		</div>
	);
}
