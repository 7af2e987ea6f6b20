import { assertLab } from './lab.ts';

assertLab();
