// Bundles Brax's viewer, three.js and lil-gui into one classic script.
// node build.mjs <Brax's folder> <its licence> <its version>
import {readFileSync, writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

import {build} from 'esbuild';

const [brax, braxLicence, braxVersion] = process.argv.slice(2);
const output = fileURLToPath(new URL('../../adama_jax/viewer/', import.meta.url));
const versions = JSON.parse(readFileSync('package.json')).dependencies;
const licences = {'lil-gui': 'LICENSE.md', three: 'LICENSE'};
const mit = Object.entries(licences).map(
    ([name, file]) => `${name} ${versions[name]}\n\n${readFileSync(`node_modules/${name}/${file}`, 'utf8').trim()}`);

const viewer = `The viewer of Brax ${braxVersion} (brax/visualizer/js)`;
// Every page is a copy of the bundle, and the MIT licence wants its text in every copy.
const notice = [...mit, `${viewer}, The Brax Authors. Apache License, Version 2.0.`];

await build({
  entryPoints: ['page.js'],
  outfile: `${output}brax_viewer.min.js`,
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2020',
  legalComments: 'none',
  alias: {brax: `${brax}/visualizer/js`, lilgui: 'lil-gui'},
  nodePaths: ['node_modules'],
  banner: {js: `/*!\n${notice.join('\n\n----\n\n')}\n*/`},
});

const texts = [
  'brax_viewer.min.js holds the following works, minified, otherwise unchanged. tools/viewer builds it.',
  ...mit,
  `${viewer}\n\n${readFileSync(braxLicence, 'utf8').trim()}`,
];
writeFileSync(`${output}LICENSES.txt`, texts.join(`\n\n${'-'.repeat(100)}\n\n`) + '\n');
