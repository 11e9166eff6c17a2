import { PluginKind, declareValuePlugin } from '@stryker-mutator/api/plugin';

const reason = 'The text of a message';

/** A text with a space in it is a message, or a part of one; tests leave its words alone. */
export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'messages', {
    shouldIgnore({ node }) {
      if (node.type === 'StringLiteral' && node.value.includes(' ')) return reason;
      if (node.type !== 'TemplateLiteral') return undefined;
      return node.quasis.some((quasi) => quasi.value.raw.includes(' ')) ? reason : undefined;
    },
  }),
];
