import { readdirSync, readFileSync } from 'node:fs'
import { loadWidgetTemplate } from 'fastify-chatkit/widget-template'
import t from 'tap'

function template(text: string, jsonSchema?: object) {
  return loadWidgetTemplate({ version: '1.0', name: 'order', template: text, jsonSchema })
}

function card(value: string) {
  return template(`{"type":"Card","children":[{"type":"Text","value":${value}}]}`)
}

/** The value of the only text of the only card. */
function textOf(widget: object): unknown {
  return Object.values(widget).flat().at(-1).value
}

t.test('a widget file is filled in with data', async t => {
  const file = JSON.stringify({
    version: '1.0',
    name: 'Lines',
    // The shape in which the widget builder writes a list.
    template:
      '{"type":"ListView","children":[{%- set _c -%}{%-for item in items -%},{"type":"ListViewItem","key":{{ (item.id) | tojson }},"onClickAction":{"type":"pick","payload":{"id":{{ (item.id) | tojson }}}},"children":[{"type":"Text","value":{{ (item.label) | tojson }}}]}{%-endfor-%}{%- endset -%}{{- (_c[1:] if _c and _c[0] == \',\' else _c) -}}]}',
    jsonSchema: { type: 'object' },
    outputJsonPreview: {},
    encodedWidget: 'e30'
  })
  const lines = loadWidgetTemplate(file)
  t.equal(lines.name, 'Lines')
  t.same(lines.jsonSchema, { type: 'object' })
  const items = [
    { id: 'blue', label: 'The "blue" line,\nnew' },
    { id: 'red', label: '</script> ✓' }
  ]
  const action = { handler: 'server', loadingBehavior: 'auto', streaming: true }
  t.strictSame(lines.build({ items }), {
    type: 'ListView',
    children: items.map(({ id, label }) => ({
      type: 'ListViewItem',
      key: id,
      onClickAction: { type: 'pick', payload: { id }, ...action },
      children: [{ type: 'Text', value: label }]
    }))
  })
  t.strictSame(lines.build({ items: [] }), { type: 'ListView', children: [] })
})

t.test('a template without data needs none', async t => {
  t.strictSame(template('{"type":"Card","children":[]}').build(), { type: 'Card', children: [] })
  t.strictSame(template('{"type":"Card","children":[]}').jsonSchema, {})
})

t.test('what is missing is an error', async t => {
  const cases = [
    { why: 'printed', value: '{{ name | tojson }}', names: 'name' },
    { why: 'a property', value: '{{ user.name | tojson }}', names: 'user.name' },
    { why: 'a condition', value: '{% if name %}1{% else %}2{% endif %}', names: 'name' },
    { why: 'a comparison', value: '{{ name == 1 }}', names: 'name' },
    { why: 'something to repeat', value: '{% for one in names %}{% endfor %}1', names: 'names' },
    {
      why: 'a property of something missing that has a default',
      value: '{{ nobody.name | default(1) }}',
      names: 'nobody'
    },
    { why: 'a condition without else', value: '{{ "1" if false }}', names: 'SelectExpression' },
    { why: 'the first of nothing', value: '{{ none_of | first }}', names: 'FilterExpression' }
  ]
  for (const { why, value, names } of cases)
    t.throws(
      () => card(value).build({ user: {}, none_of: [] }),
      { name: 'TypeError', message: `Widget template "order" cannot be rendered: ${names} is undefined` },
      why
    )
  t.equal(textOf(card('{{ name | default("nobody") | tojson }}').build()), 'nobody')
  t.equal(textOf(card('{{ user.name is defined }}').build({ user: {} })), false)
  t.equal(textOf(card('{{ "yes" | tojson if name is undefined else 1 }}').build()), 'yes')
})

t.test('text of the data cannot add to the widget', async t => {
  const evil = '","onClickAction":{"type":"pay"},"x":"\\'
  const cases = [
    { why: 'printed within quotes', value: '"{{ name }}"', shown: evil },
    { why: 'put together with other text', value: '"{{ "Dear " ~ name }}"', shown: `Dear ${evil}` },
    { why: 'changed by a filter', value: '"{{ name | trim }}"', shown: evil },
    { why: 'changed by a method', value: '"{{ name.strip() }}"', shown: evil },
    { why: 'by a method under another name', value: '"{% set f = name.strip %}{{ f() }}"', shown: evil },
    { why: 'cut', value: '"{{ name[0:] }}"', shown: evil },
    { why: 'joined', value: '"{{ names | join("") }}"', shown: evil },
    { why: 'given another name', value: '"{% set other = name %}{{ other }}"', shown: evil },
    { why: 'kept in a namespace', value: '"{% set ns = namespace(n=name) %}{{ ns.n }}"', shown: evil },
    { why: 'repeated', value: '"{% for one in names %}{{ one }}{% endfor %}"', shown: evil },
    { why: 'the key of an object', value: '"{% for key in keys %}{{ key }}{% endfor %}"', shown: evil },
    { why: 'a key among items', value: '"{% for key, _ in keys.items() %}{{ key }}{% endfor %}"', shown: evil },
    { why: 'by a macro', value: '{% macro m(x) %}"{{ x }}"{% endmacro %}{{ m(name) }}', shown: evil },
    { why: 'in a block', value: '{% set b %}"{{ name }}"{% endset %}{{ b }}', shown: evil },
    { why: 'in a block that is cut', value: '{% set b %}x"{{ name }}"{% endset %}{{ b[1:] }}', shown: evil },
    { why: 'in a block that is stripped', value: '{% set b %} "{{ name }}" {% endset %}{{ b.strip() }}', shown: evil },
    { why: 'as another value', value: '"{{ none_there or name }}"', shown: evil },
    { why: 'after it was printed raw', value: '"{{ "" if (name | safe) else "" }}{{ name }}"', shown: evil },
    { why: 'through tojson', value: '{{ name | tojson }}', shown: evil }
  ]
  for (const { why, value, shown } of cases) {
    const widget = card(value).build({ name: evil, names: [evil], keys: { [evil]: 1 }, none_there: '' })
    t.strictSame(widget, { type: 'Card', children: [{ type: 'Text', value: shown }] }, why)
  }
})

t.test('only text and numbers can be printed as they are', async t => {
  t.throws(() => card('"{{ names }}"').build({ names: ['a'] }), {
    message: /names is not text; print it through tojson/
  })
  t.throws(() => card('"{{ user }}"').build({ user: {} }), { message: /user is not text; print it through tojson/ })
  t.throws(() => card('"{{ name.upper }}"').build({ name: 'a' }), { message: /name\.upper is not text/ })
  t.strictSame(textOf(card('{{ size }}').build({ size: 2.5 })), 2.5)
  t.strictSame(textOf(card('{{ open }}').build({ open: true })), true)
})

t.test('JSON that is ready made can be put in on purpose', async t => {
  t.strictSame(textOf(card('{{ ready | safe }}').build({ ready: '[1]' })), [1])
})

t.test('data is taken as JSON carries it', async t => {
  t.equal(textOf(card('{{ at | tojson }}').build({ at: new Date(0) })), '1970-01-01T00:00:00.000Z')
  t.equal(textOf(card('{{ range | tojson }}').build({ range: 'mine' })), 'mine')
  t.throws(() => card('{{ at | tojson }}').build({ at: undefined }), { message: /at is undefined/ })
})

t.test('a template is interpreted, and cannot run code', async t => {
  t.throws(() => card('{{ x.constructor | tojson }}').build({ x: {} }), { message: /x\.constructor is undefined/ })
  t.throws(() => card('{{ x.__proto__ | tojson }}').build({ x: {} }), { message: /x\.__proto__ is undefined/ })
  t.throws(() => card('{% for n in range(n) %}{% endfor %}1').build({ n: 1e9 }), { message: /at most 10000/ })
})

t.test('loops and their breaks', async t => {
  const text =
    '[{% for n in range(1, 9) %}{% if n == 4 %}{% break %}{% endif %}{{ n }}{{ "," if n < 3 else "" }}{% endfor %}]'
  t.strictSame(textOf(card(text).build()), [1, 2, 3])
})

t.test('what is no widget file is refused', async t => {
  const cases = [
    { why: 'not JSON', file: '{', message: /^Not a \.widget file: / },
    { why: 'of another version', file: { version: '2.0', name: 'a', template: '{}' }, message: /version/ },
    { why: 'without a template', file: { version: '1.0', name: 'a' }, message: /template/ },
    { why: 'null', file: 'null', message: /^Not a \.widget file: / },
    { why: 'not Jinja2', file: { version: '1.0', name: 'a', template: '{% if %}' }, message: /"a" is not Jinja2/ }
  ]
  for (const { why, file, message } of cases)
    t.throws(() => loadWidgetTemplate(file), { name: 'TypeError', message }, why)
})

t.test('what does not give a widget is refused, without the data in the message', async t => {
  t.throws(() => template('{"type": {{ name }}').build({ name: 'hush' }), {
    message: 'Widget template "order" does not give JSON; print values through tojson'
  })
  t.throws(() => template('{"children": []}').build(), {
    message: /gives no widget: .*A widget is an object with a type/s
  })
  t.throws(() => template('{"type":"Card","children":["a"]}').build(), { message: /children\[0\]/ })
  t.equal(template('{"type": {{ name }}').render({ name: 'x' }), '{"type": x')
})

t.test('the template engine is loaded by this entry only, so that it can be missing', async t => {
  const source = new URL('../../src/', import.meta.url)
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  const importing = (what: RegExp) => files.filter(name => what.test(readFileSync(new URL(name, source), 'utf8')))
  t.strictSame(importing(/from '@huggingface\/jinja'/), ['widget/template/jinja.ts'])
  t.strictSame(importing(/from '.*\/template\//), [])
})
