// Loads the viewer's page in headless Chromium, for ./dev demo --check and ./dev bench.
//
//   node page.mjs [SCREENSHOT.png]
//
// Starts the browser, prints "ready", then for each URL read from standard input loads it and prints one line of JSON:
//   {"drawn_unix_ms": when the whole trace had been drawn, "nav_ms": since navigation began, "errors": [...], "bytes": loaded}
// The page says so itself: performance.mark('weft:drawn') behind the first frame that had all its tiles.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const require = createRequire(new URL('../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
});
const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
await (await context.newPage()).goto('about:blank'); // a renderer is up before anything is timed
console.log('ready');

for await (const url of createInterface({ input: process.stdin })) {
  const page = await context.newPage();
  const errors = [];
  let bytes = 0;
  page.on('console', (m) => m.type() === 'error' && errors.push(m.text()));
  page.on('pageerror', (e) => errors.push(String(e)));
  page.on('response', async (r) => {
    const h = await r.allHeaders().catch(() => ({}));
    bytes += Number(h['content-length'] ?? 0);
  });
  let drawn = null;
  try {
    await page.goto(url, { waitUntil: 'commit' });
    drawn = await page.waitForFunction(
      () => {
        const m = performance.getEntriesByName('weft:drawn')[0];
        return m ? { unix: performance.timeOrigin + m.startTime, nav: m.startTime } : null;
      },
      undefined, { timeout: 300_000, polling: 50 }).then((h) => h.jsonValue());
    if (process.argv[2]) {
      await page.waitForTimeout(300);
      await page.screenshot({ path: process.argv[2] });
    }
  } catch (e) {
    errors.push(String(e).split('\n')[0]);
  }
  console.log(JSON.stringify({ drawn_unix_ms: drawn?.unix ?? null, nav_ms: drawn?.nav ?? null, errors, bytes }));
  await page.close();
}
await browser.close();
