export { english as uzbek } from './en.ts';
