// Draws toon heads: a JSON line each in, `side`×`side` RGBA bytes each out, in the same order.
//
//     node draw.mjs NODE_FOLDER SIDE < drawings.jsonl > pixels
//
// NODE_FOLDER is where package.json's packages are installed (its node_modules). A line says everything of its drawing:
// {"parts": {"hair": "bun", "rearHair": null, …}, "colours": {"skin": "f1c3a5", "hair": …, "clothes": …, "ground": …},
// "view": [x, y, side]}, the view in the drawing's own units of 768 a side. Nothing here is drawn by chance.
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [folder, side] = process.argv.slice(2);
const require = createRequire(path.resolve(folder, 'package.json'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const [{ createAvatar }, toonHead] = await Promise.all([load('@dicebear/core'), load('@dicebear/toon-head')]);
const { Resvg } = require('@resvg/resvg-js');

// A part that is null, or that the style does not know, is none: known names are the caller's to check.
const PARTS = ['hair', 'rearHair', 'beard', 'mouth', 'eyes', 'eyebrows', 'clothes'];
const SOMETIMES = ['hair', 'rearHair', 'beard'];

const line = (colour, width) => `fill="${colour}" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round"`;

function svg({ parts, colours, view: [x, y, width] }) {
  const options = { skinColor: [colours.skin], hairColor: [colours.hair], clothesColor: [colours.clothes] };
  for (const part of PARTS) {
    options[part] = parts[part] ? [parts[part]] : [];
    if (SOMETIMES.includes(part)) options[`${part}Probability`] = parts[part] ? 100 : 0;
  }
  // The thin lines of mouths and closed eyes, darker and thicker, or nothing of them would be seen at 64×64 on dark skin.
  // The mouths' masks are meant as opacity, which resvg takes for brightness: in white they are the same either way.
  return createAvatar(toonHead, options).toString()
    .replaceAll('fill="#3F2626" fill-opacity="0.5"', line('#30150f', 6))
    .replaceAll('fill="#4B2422"', parts.eyes === 'happy' || parts.eyes === 'wide' ? 'fill="#38181a"' : line('#38181a', 4))
    .replace(/<mask .*?<\/mask>/g, (mask) => mask.replace(/fill="#[0-9A-Fa-f]{6}"/g, 'fill="#ffffff"'))
    .replace('viewBox="0 0 768 768"', `viewBox="${x} ${y} ${width} ${width}"`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const drawing = JSON.parse(line);
  const fitted = { fitTo: { mode: 'width', value: Number(side) }, background: `#${drawing.colours.ground}` };
  const pixels = Buffer.from(new Resvg(svg(drawing), fitted).render().pixels);
  if (!process.stdout.write(pixels)) await new Promise((go) => process.stdout.once('drain', go));
}
