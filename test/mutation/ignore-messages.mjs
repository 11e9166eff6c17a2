import { PluginKind, declareValuePlugin } from '@stryker-mutator/api/plugin';

/** Tests leave the words of messages alone. A text with a space in it is a message, or a part of one. */
export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'messages', {
    shouldIgnore: ({ node, parent }) =>
      isProse(node) || namesCall(node, parent) ? 'The text of a message' : undefined,
  }),
];

function isProse(node) {
  if (node.type === 'StringLiteral') return node.value.includes(' ');
  return node.type === 'TemplateLiteral' && node.quasis.some(({ value }) => value.raw.includes(' '));
}

/** `assertOptions('readStream', …)` says in its errors which call it was. */
function namesCall(node, parent) {
  return (
    parent?.type === 'CallExpression' &&
    parent.callee.name === 'assertOptions' &&
    parent.arguments[0] === node
  );
}
