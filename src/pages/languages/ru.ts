export { english as russian } from './en.ts';
