// The answers in the drawer: profiles, latency, cause, collections.  Their numbers are those of the server, for the part
// of the trace that is chosen.

/** Adds its tests; `kit` is what test/web/run.mjs offers. */
export function answersTests({ test, ok, equal, api, axe, open, reset, settled, shot, startWeft, stops, shared, annotated, planted, locks }) {
	const grouping = /(?<=\d)[\u2009,](?=\d)/g; // numbers are compared as the server has them
	const plain = text => text.replace(grouping, '');
	const body = async page => plain(await page.locator('.drawer-body').innerText());
	const quiet = page => page.waitForFunction(() => document.querySelector('.scope-state')?.textContent === '', undefined, { polling: 25 });
	const has = (page, text) => page.waitForFunction(([t, g]) => document.querySelector('.drawer-body')?.innerText.replace(new RegExp(g, 'g'), '').includes(t),
		[text, grouping.source], { polling: 25 });

	test('P shows a profile: the flame graph has the sums of the server, and its functions', async () => {
		const page = shared();
		await reset(page);
		const p = await api(page, 'api/profile?kind=sync&n=5000');
		await page.keyboard.press('p');
		await page.locator('select[aria-label=Profile]').selectOption('sync');
		await has(page, `in ${p.count} waits, ${p.n_stacks} stacks`);
		await quiet(page);
		const root = await page.locator('.cell-call').first().getAttribute('aria-label');
		ok(/^all, .*100\.0 %$/.test(root), root);
		const cells = await page.locator('.cell-call').evaluateAll(list => list.map(e => [e.getAttribute('aria-label'), e.offsetTop, e.getBoundingClientRect().width]));
		ok(cells.length > 10, `${cells.length} cells`);
		const rowWidth = cells.filter(c => c[1] === cells[1][1]).reduce((n, c) => n + c[2], 0);
		ok(rowWidth <= cells[0][2] + 1, `callees are wider (${rowWidth}) than their caller (${cells[0][2]})`);
		const top = await page.locator('.grid tbody tr').first().innerText();
		ok(top.includes(p.functions[0].name.split('/').pop().split('.').pop()), `${top} is not ${p.functions[0].name}`);
		await shot(page, 'profile');
		await axe(page, 'with a profile');
	});

	test('the flame graph by keyboard: down to a callee, Enter opens it, Escape shows all again', async () => {
		const page = shared();
		await page.locator('.cell-call').first().focus();
		await page.keyboard.press('ArrowDown');
		const callee = await page.evaluate(() => document.activeElement.getAttribute('aria-label'));
		ok(!callee.startsWith('all,'), callee);
		const before = await page.evaluate(() => document.activeElement.getBoundingClientRect().width);
		await page.keyboard.press('Enter');
		await page.waitForFunction(w => document.activeElement.getBoundingClientRect().width > w, before, { polling: 25 });
		equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), callee, 'what was opened');
		await page.keyboard.press('Escape');
		await page.waitForFunction(w => document.querySelector('.cell-call:focus')?.getAttribute('aria-label').startsWith('all,') || document.activeElement.getBoundingClientRect().width <= w + 1, before, { polling: 25 });
		ok(await page.locator('.drawer').isVisible(), 'Escape closed the drawer');
	});

	test('answers are about the whole trace, what is in view, or the range; a filter that is wrong says why', async () => {
		const page = shared();
		const sum = async () => Number(/in (\d+) waits/.exec(await body(page))?.[1]);
		const whole = await sum();
		await page.locator('.lanes').click({ position: { x: 400, y: 30 } });
		await page.evaluate(() => { window.weft.view = { t0: 0, scale: window.weft.view.scale / 8 }; });
		await settled(page);
		await page.keyboard.press('p');
		await page.getByRole('radio', { name: 'In view' }).click();
		await page.waitForFunction(() => /range=/.test(document.querySelector('.terminal').textContent), undefined, { polling: 25 });
		await quiet(page);
		const part = await sum();
		ok(part > 0 && part < whole, `${part} waits in an eighth of ${whole}`);
		const text = await page.locator('.terminal code').innerText();
		const range = /--range=(\S+)/.exec(text)[1];
		equal(part, (await api(page, `api/profile?kind=sync&range=${range}`)).count, 'waits in view');
		ok(await page.getByRole('radio', { name: 'Range' }).isDisabled(), 'a range can be chosen that is not there');
		await page.locator('.filter').fill('nonsense:=1');
		await page.keyboard.press('Enter');
		await page.locator('.trouble-text').waitFor();
		await page.locator('.filter').fill('');
		await page.keyboard.press('Enter');
		await page.getByRole('radio', { name: 'Whole trace' }).click();
		await quiet(page);
		page.complaints.splice(0, page.complaints.length, ...page.complaints.filter(c => !/status of 400/.test(c)));
	});

	test('X shows groups of goroutines and the goroutines of one, sorted by any column', async () => {
		const page = shared();
		await reset(page);
		const g = await api(page, 'api/goroutines?by=start&sort=block&n=300');
		await page.keyboard.press('x');
		const groups = page.getByRole('region', { name: 'Groups of goroutines' });
		await groups.getByRole('button', { name: /^blocked/ }).click();
		await page.waitForFunction(() => document.querySelector('th[aria-sort=descending]')?.innerText.startsWith('blocked'), undefined, { polling: 25 });
		await quiet(page);
		equal(await groups.locator('tbody tr').count(), g.rows, 'groups');
		ok((await groups.locator('tbody tr').first().innerText()).includes(g.groups[0].name.split('.').pop()), 'the first group');
		await groups.locator('.pick', { hasText: 'client' }).first().click();
		const each = page.getByRole('region', { name: 'Goroutines of the group' });
		const n = g.groups.find(x => x.name === 'main.client').n;
		await page.waitForFunction(t => document.querySelector('[aria-label="Goroutines of the group"] caption')?.innerText === t, `Its ${n} goroutines`, { polling: 25 });
		equal(await each.locator('tbody tr').count(), n, 'goroutines');
		await shot(page, 'goroutines');
		await axe(page, 'with goroutines');
	});

	test('L shows requests, slowest first; a click shows one in the lanes; Why? explains it', async () => {
		const page = shared();
		await reset(page);
		const r = await api(page, 'api/requests?n=1000');
		await page.keyboard.press('l');
		await has(page, r.types[0].name);
		await quiet(page);
		await page.locator('.pair .table-box').nth(1).locator('tbody .pick').first().click();
		await page.waitForFunction(() => /Range \d/.test(document.querySelector('[role=radiogroup]').innerText), undefined, { polling: 25 });
		await page.locator('.pair .small').first().click();
		const slow = r.types[0].slowest[0];
		const why = await api(page, `api/why?g=${slow.g}&from=${slow.start_ns}&to=${slow.start_ns + slow.ns}`);
		await page.getByRole('tab', { name: 'Cause', selected: true }).waitFor();
		await has(page, `of g${why.g}:`);
		const text = await body(page);
		ok(text.includes('The path by state') && text.includes('blocked'), text);
		await shot(page, 'cause');
		await axe(page, 'with a cause');
	});

	test('Y explains the selected span', async () => {
		const page = shared();
		await reset(page);
		const span = await page.evaluate(async () => {
			const g = (await (await fetch('api/search?q=main.client')).json()).hits[0];
			location.hash = `#sel=${g.lane}@${g.create_ns + 4000000}ns`;
			return g;
		});
		await page.waitForFunction(lane => window.weft.selection?.lane === lane, span.lane, { polling: 25 });
		await page.keyboard.press('y');
		await has(page, `of ${span.lane}:`);
		ok(/weft why --goroutine=/.test(await body(page)), 'no command for the terminal');
	});

	test('a wait says for which lock, who holds it, and that it is a deadlock; by keyboard and in the dark', async () => {
		const server = await startWeft(locks());
		stops.push(server.stop);
		const page = await open(`${server.url}#sel=g2@100`, { colorScheme: 'dark' });
		await page.locator('.name-current', { hasText: 'g2' }).waitFor();
		await page.keyboard.press('Enter');
		await page.waitForFunction(() => window.weft.selection, undefined, { polling: 25 });
		const at = () => page.evaluate(() => window.weft.selection.span);
		for (let span = await at(); span.state !== 'Waiting'; span = await at()) {
			await page.keyboard.press('ArrowRight');
			await page.waitForFunction(t => window.weft.selection.span.start_ns > t, span.start_ns, { polling: 25 });
		}
		await has(page, 'mutex 0x10');
		await has(page, 'a deadlock: that closes the circle');
		const w = await api(page, 'api/waits?t=150&g=2');
		equal(w.waiting.map(x => x.g).join(), '2,3', 'the chain');
		await page.locator('.chain a', { hasText: 'g3' }).first().click();
		await page.waitForFunction(() => window.weft.selection?.lane === 'g3', undefined, { polling: 25 });
		await has(page, "mutex 'accounts'");
		await shot(page, 'deadlock');
		await axe(page, 'with a deadlock');
		await page.keyboard.press('b');
		await has(page, 'a deadlock: those of one circle wait for each other');
		const all = await api(page, 'api/waits?t=150');
		equal(await page.getByRole('region', { name: 'What was waited for' }).locator('tbody tr').count(), all.objects.length, 'rows of objects');
		equal(await page.getByRole('region', { name: 'Who waits' }).locator('tbody tr').count(), all.waiting.length, 'rows of goroutines');
		await page.getByRole('radio', { name: 'Selected span' }).click();
		await has(page, '--at=');
		await shot(page, 'waits');
		await axe(page, 'with what was waited for');
		equal(page.complaints.join('; '), '', 'complaints');
		await page.context().close();
	});

	test('C shows what collections leave, with its curve and worst windows', async () => {
		const page = shared();
		await reset(page);
		const m = await api(page, 'api/mmu?flags=7&window=10000000');
		await page.keyboard.press('c');
		await has(page, `${(m.left * 100).toFixed(1)} %`);
		await quiet(page);
		equal(await page.locator('.curve path').count(), 4, 'lines');
		ok(/\d %.* in windows of/.test(await page.locator('.curve svg').getAttribute('aria-label')), 'the curve has no words');
		const none = page.getByLabel('stops of the world', { exact: true });
		await none.uncheck();
		await page.waitForFunction(t => !document.querySelector('.sum').innerText.includes(t), 'stops of the world took', { polling: 25 });
		await shot(page, 'collections');
		await axe(page, 'with collections');
		await reset(page);
	});

	test('findings: the chip says how many, I lists them worst first; keys walk, Enter shows one in the lanes; in the dark', async () => {
		const server = await startWeft(planted);
		stops.push(server.stop);
		const page = await open(server.url, { colorScheme: 'dark' });
		const f = await api(page, 'api/findings');
		const chip = page.locator('.topbar .chip', { hasText: 'finding' });
		await chip.waitFor();
		equal(await chip.innerText(), f.n_findings === 1 ? '1 finding' : `${f.n_findings} findings`, 'the chip');
		const [drawn, asked] = await page.evaluate(() => [performance.getEntriesByName('weft:drawn')[0].startTime,
			performance.getEntriesByType('resource').find(r => /api\/findings$/.test(r.name)).startTime]);
		ok(asked >= drawn, 'the page waited for the findings before it was drawn');
		const times = () => page.evaluate(() => performance.getEntriesByType('resource').filter(r => /api\/findings/.test(r.name)).length);
		const before = await times();
		await page.keyboard.press('i');
		await page.locator('.finding').first().waitFor();
		equal(await times(), before, 'times that the same was asked');
		await quiet(page);
		const shown = await page.locator('.finding .severity').allInnerTexts();
		equal(shown.join(), f.findings.map(x => x.severity).join(), 'severities');
		ok((await body(page)).includes(plain(f.findings[0].sentence)), 'no sentence');
		const details = await page.locator('.finding-details').innerText();
		ok(details.includes(f.findings[0].why) && details.includes(f.findings[0].next), 'neither why nor next');
		await page.locator('.finding').first().focus();
		await page.keyboard.press('ArrowDown');
		equal(await page.evaluate(() => document.activeElement.id), 'finding-1', 'the next one');
		await page.waitForFunction(t => document.querySelector('.finding-details h2').innerText === t, f.findings[1].title, { polling: 25 });
		await page.keyboard.press('ArrowUp');
		await shot(page, 'findings-dark');
		await axe(page, 'with findings');
		const whole = (await page.evaluate(() => window.weft.view)).scale;
		await page.keyboard.press('Enter');
		await settled(page);
		await page.waitForFunction(x => window.weft.view.scale < x, whole, { polling: 25 });
		const r = f.findings[0].ranges[0];
		const view = await page.evaluate(() => window.weft.view);
		ok(view.t0 <= r.from_ns, `${view.t0} is behind ${r.from_ns}`);
		await page.waitForFunction(g => [...document.querySelectorAll('.name')].some(e => e.innerText.includes(`g${g}`)), f.findings[0].goroutines[0].g, { polling: 25 });
		equal(page.complaints.join('; '), '', 'complaints');
		await page.context().close();
	});

	test('tasks and regions by type, with how they are spread, in the dark', async () => {
		const server = await startWeft(annotated);
		stops.push(server.stop);
		const page = await open(server.url, { colorScheme: 'dark' });
		const t = await api(page, 'api/tasks?n=1000');
		await page.keyboard.press('l');
		const asked = what => page.waitForFunction(w => document.querySelector('.terminal')?.textContent.includes(`weft ${w} `), what, { polling: 25 });
		await page.getByLabel('What', { exact: true }).selectOption('tasks');
		await asked('tasks');
		await has(page, t.types[0].name);
		await quiet(page);
		equal(await page.locator('.pair .table-box').first().locator('tbody tr').count(), t.types.length, 'types');
		await page.locator('.pick', { hasText: 'order' }).first().click();
		await page.waitForFunction(n => document.querySelectorAll('.pair .table-box')[1].querySelectorAll('tbody tr').length === n, t.types.find(x => x.name === 'order').n, { polling: 25 });
		ok(await page.locator('.bars rect').count() > 0, 'no histogram');
		await axe(page, 'with tasks');
		await page.getByLabel('What', { exact: true }).selectOption('regions');
		await asked('regions');
		const regions = await api(page, 'api/regions?n=1000');
		await has(page, regions.types[0].name);
		await shot(page, 'regions');
		await page.keyboard.press('q');
		// A message is found by its text; the span that it was written in tells it, with its region and task.
		const log = (await api(page, 'api/told?q=ship%20at%203')).logs[0];
		await page.keyboard.press('/');
		await page.keyboard.type('Ship at 3');
		await page.locator('.hit', { hasText: 'ship at 3' }).first().click();
		await page.waitForFunction(([lane, t]) => { const x = window.weft.selection; return x?.lane === lane && x.span.start_ns <= t && t < x.span.end_ns; },
			[`g${log.g}`, log.time_ns], { polling: 25 });
		await has(page, 'depth: ship at 3');
		await has(page, 'ship task 4 ship');
		await settled(page);
		const row = await page.locator('.name-current').boundingBox();
		const drawer = await page.locator('.drawer').boundingBox();
		ok(row.y + row.height <= drawer.y + 1, `the row ends at ${row.y + row.height}, the drawer begins at ${drawer.y}`);
		await axe(page, 'with messages');
		equal(page.complaints.join('; '), '', 'complaints');
		await page.context().close();
	});
}
