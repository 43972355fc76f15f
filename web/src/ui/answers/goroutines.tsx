// Where goroutines spent their time: by group, and the goroutines of one.

import { useState } from 'preact/hooks';

import { duration, grouped } from '../../base/time';
import { question, type Goroutines as Rows, type GoroutineRow, type Times } from '../../model/answers';
import { Func, LaneLink } from '../facts';
import { ScopeBar, Terminal, useAnswer, useScope } from './scope';
import { States } from './states';

type By = 'start' | 'creator' | 'state';
type Sort = 'exec' | 'sched' | 'block' | 'syscall' | 'total' | 'count' | 'name' | 'id';

const bys: readonly (readonly [By, string])[] = [['start', 'by start function'], ['creator', 'by who created them'], ['state', 'by last state']];
const columns: readonly (readonly [Sort, string, string])[] = [
	['exec', 'running', 'On a proc'], ['sched', 'runnable', 'Ready, waiting for a proc'], ['block', 'blocked', 'Waiting for something'], ['syscall', 'system calls', 'In system calls'], ['total', 'total', 'From its creation to its end'],
];
const rows_most = 300;
const stateWords: Readonly<Record<string, string>> = { NotExist: 'ended', Runnable: 'runnable', Running: 'running', Waiting: 'waiting', Syscall: 'syscall' };

let lastBy: By = 'start';
let lastSort: Sort = 'exec';

/** What the filter language calls a group; '' when it has no word for it: `creator` there is a goroutine, not the function
 * with the go statement. */
function term(by: By, name: string): string {
	if (by === 'state')
		return stateWords[name] ? `state:${stateWords[name]}` : '';
	return by === 'start' && name ? `fn:="${name.replace(/"/g, '\\"')}"` : '';
}

export function Goroutines(): preact.JSX.Element {
	const [by, setBy] = useState(lastBy);
	const [sort, setSort] = useState(lastSort);
	const [chosen, choose] = useState('');
	const { range, filter } = useScope();
	const groups = useAnswer<Rows>(question('goroutines', { by, sort, range, filter, n: rows_most }));
	const list = groups.value?.groups ?? [];
	const name = list.some(g => g.name === chosen) ? chosen : list[0]?.name ?? '';
	const one = term(by, name);
	const each = useAnswer<Rows>(list.length > 0 && one ? question('goroutines', { sort: sort === 'count' ? 'exec' : sort, range, filter: filter ? `(${filter}) ${one}` : one, n: rows_most }) : null);
	const order = (s: Sort): void => setSort(lastSort = s);
	return (
		<div class="answer">
			<ScopeBar filtered busy={groups.busy || each.busy} first={!groups.value && !each.value} error={groups.error ?? each.error}>
				<select aria-label="Groups" value={by} onChange={e => setBy(lastBy = e.currentTarget.value as By)}>
					{bys.map(([id, title]) => <option key={id} value={id}>{title}</option>)}
				</select>
			</ScopeBar>
			{groups.value && (list.length === 0 ? <p class="hint">No goroutine matches.</p> : (
				<div class="pair">
					<div class="table-box" tabIndex={0} role="region" aria-label="Groups of goroutines">
						<table class="grid">
							<thead><tr>
								<Head id="name" title={by === 'start' ? 'start function' : by === 'creator' ? 'created by' : 'last state'} help="By name" sort={sort} order={order} wide />
								<Head id="count" title="count" help="How many" sort={sort} order={order} />
								{columns.map(([id, title, help]) => <Head key={id} id={id} title={title} help={help} sort={sort} order={order} />)}
								<th scope="col" class="wide"><span class="sr">bar</span></th>
							</tr></thead>
							<tbody>{list.map(g => (
								<tr key={g.name} class={g.name === name ? 'chosen' : ''} onClick={() => choose(g.name)}>
									<th scope="row" class="wide"><button type="button" class="pick" aria-pressed={g.name === name} onClick={e => {
										e.stopPropagation();
										choose(g.name);
									}}><Func name={by === 'state' ? stateWords[g.name] ?? g.name : g.name || '(not known)'} /></button></th>
									<td>{grouped(g.n)}</td><TimeCells t={g} />
								</tr>
							))}</tbody>
						</table>
					</div>
					{each.value?.goroutines && <Each list={each.value.goroutines} n={each.value.rows} sort={sort} order={order} />}
				</div>
			))}
			<Terminal command={`goroutines --group-by=${by} --sort=${sort}`} range={range} filter={filter} />
		</div>
	);
}

function Head({ id, title, help, sort, order, wide }: { id: Sort; title: string; help: string; sort: Sort; order: (s: Sort) => void; wide?: boolean }): preact.JSX.Element {
	const least = id === 'name' || id === 'id';
	return (
		<th scope="col" class={wide ? 'wide' : ''} aria-sort={sort === id ? (least ? 'ascending' : 'descending') : 'none'}>
			<button type="button" class="sort" title={help} onClick={() => order(id)}>{title}{sort === id ? (least ? ' ↑' : ' ↓') : ''}</button>
		</th>
	);
}

const ns = (n: number): string => (n > 0 ? duration(n) : '');

function TimeCells({ t }: { t: Times }): preact.JSX.Element {
	const calls = t.syscall_ns + t.syscall_block_ns;
	return (
		<>
			<td>{ns(t.exec_ns)}</td><td>{ns(t.sched_ns)}</td><td>{ns(t.block_ns)}</td><td>{ns(calls)}</td><td>{ns(t.total_ns)}</td>
			<td class="wide"><States by={{ running: t.exec_ns, runnable: t.sched_ns, blocked: t.block_ns, syscall: calls }} total={t.total_ns} /></td>
		</>
	);
}

function Each({ list, n, sort, order }: { list: readonly GoroutineRow[]; n: number; sort: Sort; order: (s: Sort) => void }): preact.JSX.Element {
	return (
		<div class="table-box" tabIndex={0} role="region" aria-label="Goroutines of the group">
			<table class="grid">
				<caption>{n > list.length ? `The first ${list.length} of ${grouped(n)}` : n === 1 ? 'Its goroutine' : `Its ${grouped(n)} goroutines`}</caption>
				<thead><tr>
					<Head id="id" title="goroutine" help="By number" sort={sort} order={order} wide />
					{columns.map(([id, title, help]) => <Head key={id} id={id} title={title} help={help} sort={sort} order={order} />)}
					<th scope="col" class="wide"><span class="sr">bar</span></th><th scope="col" class="wide">blocked in</th><th scope="col" class="wide">at the end</th>
				</tr></thead>
				<tbody>{list.map(g => {
					const blocked = [...g.block_by_reason].sort((x, y) => y.ns - x.ns);
					return (
						<tr key={g.id}>
							<th scope="row" class="wide"><LaneLink lane={`g${g.id}`} text={`g${g.id}`} {...(g.create_ns === null ? {} : { t: g.create_ns })} /></th>
							<TimeCells t={g} />
							<td class="wide" title={[...blocked, ...g.ranges.map(r => ({ reason: r.name, ns: r.ns }))].map(b => `${b.reason} ${duration(b.ns)}`).join('\n')}>{blocked.slice(0, 2).map(b => `${b.reason} ${duration(b.ns)}`).join(', ')}</td>
							<td class="wide">{stateWords[g.state] ?? g.state}{g.state === 'Waiting' && g.reason ? `: ${g.reason}` : ''}</td>
						</tr>
					);
				})}</tbody>
			</table>
		</div>
	);
}
