export { english as persian } from './en.ts';
