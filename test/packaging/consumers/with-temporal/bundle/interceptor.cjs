const core = require('temporal-event-store');
const memory = require('temporal-event-store/memory');
const testing = require('temporal-event-store/testing');
const workflow = require('temporal-event-store/workflow');
const workflows = require('temporal-event-store/workflows');

exports.interceptors = () => ({});
exports.required = Object.keys({ ...core, ...memory, ...testing, ...workflow, ...workflows });
